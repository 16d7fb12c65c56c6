//! Where datasets come from, and how to tell that they came whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use acai_sweep::training::Dataset;
use md5::{Digest, Md5};

use crate::partition;

/// A file that a dataset's publisher offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// Its official address.
    pub url: &'static str,
    /// Where it belongs, relative to the data folder.
    pub path: &'static str,
    /// Its published MD5, in lower-case hexadecimal digits.
    pub md5: &'static str,
    /// If it is a `.tar.gz`: the files in it that are needed, relative to the archive's own folder.
    pub unpacks: &'static [&'static str],
}

/// A file that is used as it comes.
const fn plain(url: &'static str, path: &'static str, md5: &'static str) -> Download {
    Download { url, path, md5, unpacks: &[] }
}

const MNIST: &[Download] = &[
    plain(
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
        "mnist/train-images-idx3-ubyte.gz",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    ),
    plain(
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
        "mnist/train-labels-idx1-ubyte.gz",
        "d53e105ee54ea40749a09fcbcd1e9432",
    ),
    plain(
        "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
        "mnist/t10k-images-idx3-ubyte.gz",
        "9fb629c4189551a2d022fa330f9573f3",
    ),
    plain(
        "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
        "mnist/t10k-labels-idx1-ubyte.gz",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
];

const FASHION_MNIST: &[Download] = &[
    plain(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
        "fashion-mnist/train-images-idx3-ubyte.gz",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    ),
    plain(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz",
        "fashion-mnist/train-labels-idx1-ubyte.gz",
        "25c81989df183df01b3e8a0aad5dffbe",
    ),
    plain(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz",
        "fashion-mnist/t10k-images-idx3-ubyte.gz",
        "bef4ecab320f06d8554ea6380940ec79",
    ),
    plain(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
        "fashion-mnist/t10k-labels-idx1-ubyte.gz",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
];

const SVHN: &[Download] = &[
    plain(
        "http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
        "svhn/train_32x32.mat",
        "e26dedcc434d2e4c54c9b2d4a06d8373",
    ),
    plain(
        "http://ufldl.stanford.edu/housenumbers/extra_32x32.mat",
        "svhn/extra_32x32.mat",
        "a93ce644f1a588dc4d68dda5feec44a7",
    ),
    plain(
        "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
        "svhn/test_32x32.mat",
        "eb5a983be6a315427106f1b164d9cef3",
    ),
];

const CIFAR10: &[Download] = &[Download {
    url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    path: "cifar10/cifar-10-binary.tar.gz",
    md5: "c32a1d4ab5d03f1284b67883e8d87530",
    unpacks: &[
        "cifar-10-batches-bin/data_batch_1.bin",
        "cifar-10-batches-bin/data_batch_2.bin",
        "cifar-10-batches-bin/data_batch_3.bin",
        "cifar-10-batches-bin/data_batch_4.bin",
        "cifar-10-batches-bin/data_batch_5.bin",
        "cifar-10-batches-bin/test_batch.bin",
    ],
}];

/// What to download for `dataset`; empty if it has no files or its publisher wants its terms agreed to (CelebA).
#[must_use]
pub fn downloads(dataset: &Dataset) -> &'static [Download] {
    match dataset {
        Dataset::Mnist32 => MNIST,
        Dataset::FashionMnist32 => FASHION_MNIST,
        Dataset::Svhn32 => SVHN,
        Dataset::Cifar10 => CIFAR10,
        Dataset::Lines32
        | Dataset::Digits32
        | Dataset::Celeba32
        | Dataset::Typeover32
        | Dataset::Images(_)
        | Dataset::Curve(_)
        | Dataset::Text(_) => &[],
    }
}

/// Numbers of images, or of strings, that a dataset has when it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// To train on; `None` if they have no end.
    pub train: Option<usize>,
    /// To test on.
    pub test: usize,
}

/// Numbers of images, as published or as built in; `None` for what is one's own.
#[must_use]
pub fn counts(dataset: &Dataset) -> Option<Counts> {
    let (train, test) = match dataset {
        Dataset::Lines32 => (None, 5_000),
        Dataset::Digits32 => (Some(1_437), 360),
        Dataset::Mnist32 | Dataset::FashionMnist32 => (Some(60_000), 10_000),
        Dataset::Svhn32 => (Some(73_257 + 531_131), 26_032),
        Dataset::Cifar10 => (Some(50_000), 10_000),
        Dataset::Celeba32 => (Some(partition::TRAIN), partition::TEST),
        Dataset::Typeover32 => (Some(256), 256),
        Dataset::Images(_) | Dataset::Curve(_) | Dataset::Text(_) => return None,
    };
    Some(Counts { train, test })
}

/// MD5 of a file, in lower-case hexadecimal digits: what publishers of datasets give. It finds damage, not malice.
///
/// # Errors
/// The file can't be read.
pub fn md5(path: &Path) -> io::Result<String> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut digest = Md5::new();
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        let len = bytes.len();
        file.consume(len);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

use acai_sweep::training::Dataset;
use tempfile::TempDir;

use crate::{data_folder, not_the_file, opened, refused, svhn};

const BINARY_1: &str = "cifar10/cifar-10-batches-bin/data_batch_1.bin";
const MATLAB_1: &str = "cifar10/cifar-10-batches-mat/data_batch_1.mat";
const PYTHON_1: &str = "cifar10/cifar-10-batches-py/data_batch_1";

/// Byte `at` of image `n` of file `batch`.
fn pixel(batch: usize, n: usize, at: usize) -> u8 {
    (batch * 31 + n * 7 + at * 13) as u8
}

fn pixels(batch: usize, n: usize) -> Vec<u8> {
    (0..3072).map(|at| pixel(batch, n, at)).collect()
}

pub(crate) fn binary(batch: usize, count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| [vec![((batch + n) % 10) as u8], pixels(batch, n)].concat()).collect()
}

fn string(text: &str) -> Vec<u8> {
    [&[b'U', text.len() as u8], text.as_bytes()].concat()
}

/// What Python 2's cPickle writes of a batch at protocol 2, code by code.
pub(crate) fn python(batch: usize, count: usize) -> Vec<u8> {
    let mut file = b"\x80\x02}q\x01(".to_vec();
    file.extend([string("batch_label"), b"q\x02".to_vec(), string("training batch 1 of 5")].concat());
    file.extend([b"q\x03", string("labels").as_slice(), b"q\x04]q\x05("].concat());
    file.extend((0..count).flat_map(|n| [b'K', ((batch + n) % 10) as u8]));
    file.extend([b"e", string("data").as_slice(), b"q\x06"].concat());
    file.extend(b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08");
    file.extend(b"K\x00\x85q\x09U\x01bq\x0a\x87q\x0bRq\x0c(K\x01");
    file.extend([b"M", (count as u16).to_le_bytes().as_slice(), b"M\x00\x0c\x86q\x0d"].concat());
    file.extend(b"cnumpy\ndtype\nq\x0eU\x02u1q\x0fK\x00K\x01\x87q\x10Rq\x11");
    file.extend(b"(K\x03U\x01|q\x12NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x13b\x89T");
    file.extend((count as u32 * 3072).to_le_bytes());
    file.extend((0..count).flat_map(|n| pixels(batch, n)));
    file.extend(b"q\x14tq\x15b");
    file.extend([string("filenames"), b"q\x16]q\x17(".to_vec()].concat());
    for n in 0..count {
        file.extend(
            [string(&format!("leptodactylus_pentadactylus_s_{n:06}.png")), b"r\x00\x01\0\0".to_vec()]
                .concat(),
        );
    }
    file.extend(b"eu.");
    file
}

/// What SciPy writes of a batch: arrays column by column, as MATLAB keeps them.
fn matlab(batch: usize, count: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..3072).flat_map(|at| (0..count).map(move |n| pixel(batch, n, at))).collect();
    let labels: Vec<u8> = (0..count).map(|n| ((batch + n) % 10) as u8).collect();
    matlab_file(&[count as u32, 3072], &data, &labels)
}

fn matlab_file(dimensions: &[u32], data: &[u8], labels: &[u8]) -> Vec<u8> {
    svhn::file(&[
        svhn::compressed(&svhn::array("data", dimensions, 9, svhn::UINT8, data)),
        svhn::array("batch_label", &[1, 2], 4, svhn::UINT8, b"of"),
        svhn::array("labels", &[labels.len() as u32, 1], 9, svhn::UINT8, labels),
    ])
}

/// Batches 1 to 5 with 4 images each and a test batch of 2, but for the first as given.
fn small(files: [&'static str; 6], batch: fn(usize, usize) -> Vec<u8>, first: Option<Vec<u8>>) -> TempDir {
    let whole = files.into_iter().zip(1..).map(|(file, number)| {
        let count = if number == 6 { 2 } else { 4 };
        (file, batch(number, count))
    });
    data_folder(whole.chain(first.map(|first| (files[0], first))))
}

fn small_binary(first: Option<Vec<u8>>) -> TempDir {
    small(Dataset::Cifar10.files().try_into().unwrap(), binary, first)
}

pub(crate) fn small_python(first: Option<Vec<u8>>) -> TempDir {
    let files = [
        PYTHON_1,
        "cifar10/cifar-10-batches-py/data_batch_2",
        "cifar10/cifar-10-batches-py/data_batch_3",
        "cifar10/cifar-10-batches-py/data_batch_4",
        "cifar10/cifar-10-batches-py/data_batch_5",
        "cifar10/cifar-10-batches-py/test_batch",
    ];
    small(files, python, first)
}

pub(crate) fn small_matlab(first: Option<Vec<u8>>) -> TempDir {
    let files = [
        MATLAB_1,
        "cifar10/cifar-10-batches-mat/data_batch_2.mat",
        "cifar10/cifar-10-batches-mat/data_batch_3.mat",
        "cifar10/cifar-10-batches-mat/data_batch_4.mat",
        "cifar10/cifar-10-batches-mat/data_batch_5.mat",
        "cifar10/cifar-10-batches-mat/test_batch.mat",
    ];
    small(files, matlab, first)
}

#[test]
fn all_versions_hold_the_same_images_in_the_order_of_their_files() {
    let found = opened(&Dataset::Cifar10, small_binary(None).path());
    assert_eq!((found.colours, found.classes, found.train.len(), found.test.len()), (3, 10, 20, 2));
    let expected: Vec<u8> = (1..=5).flat_map(|batch| (0..4).flat_map(move |n| pixels(batch, n))).collect();
    assert!(found.train.pixels == expected);
    assert_eq!(found.train.labels[2..6], [3, 4, 2, 3]);
    assert_eq!(found.test.labels, [6, 7]);
    assert!(opened(&Dataset::Cifar10, small_python(None).path()) == found);
    assert!(opened(&Dataset::Cifar10, small_matlab(None).path()) == found);
}

#[test]
fn binary_files_are_whole_images_with_labels_below_ten() {
    let with = |first| refused(&Dataset::Cifar10, small_binary(Some(first)).path());
    let not_first = |reason| not_the_file(BINARY_1, reason);
    let reason = "it is truncated: its 12291 bytes are not a whole number of images of 3073 bytes";
    assert_eq!(with(binary(1, 4)[..12_291].to_vec()), not_first(reason));
    assert_eq!(with(Vec::new()), not_first("it holds 0 images, outside 1..=100000"));
    let mut mislabelled = binary(1, 4);
    mislabelled[3073] = 10;
    assert_eq!(with(mislabelled), not_first("label 1 is 10, outside 0..=9"));
}

#[test]
fn a_pickle_that_is_a_program_is_refused_and_not_run() {
    let with = |first: &[u8]| refused(&Dataset::Cifar10, small_python(Some(first.to_vec())).path());
    let not_first = |reason| not_the_file(PYTHON_1, reason);
    let reason = "it asks for Python's `os.system`, which CIFAR-10's files don't: it may be malicious";
    assert_eq!(with(b"\x80\x02cos\nsystem\nU\x06reboot\x85R."), not_first(reason));
    let reason = "it uses the pickle code 0x69 at byte 3, which CIFAR-10's files don't";
    assert_eq!(with(b"\x80\x02(ios\nsystem\n."), not_first(reason));
    assert_eq!(with(b"\x80\x04\x95"), not_first("it is not a Python pickle of protocol 2"));
    // Tuples in tuples without end, values below a mark, a list that holds itself.
    for senseless in
        [[b")".as_slice(), &b"\x85".repeat(1000)].concat(), b"K\x01(\x85".to_vec(), b"]q\x00h\x00a.".to_vec()]
    {
        let message = with(&[b"\x80\x02", senseless.as_slice()].concat());
        assert!(message.contains("it makes no sense at byte"), "{message}");
    }
    let endless = [b"\x80\x02".as_slice(), &b"N".repeat(1_000_001)].concat();
    assert_eq!(with(&endless), not_first("it has more than 1000000 steps"));
}

#[test]
fn python_batches_are_arrays_of_images_with_as_many_labels() {
    let with = |first| refused(&Dataset::Cifar10, small_python(Some(first)).path());
    let not_first = |reason| not_the_file(PYTHON_1, reason);
    assert_eq!(with(b"\x80\x02}.".to_vec()), not_first("it has no `data` of the expected kind"));
    assert_eq!(with([python(1, 4), vec![0]].concat()), not_first("it goes on after its end"));
    let whole = python(1, 4);
    assert_eq!(with(whole[..whole.len() / 2].to_vec()), not_first("it is truncated"));
    let replaced = |old: &[u8], new: &[u8]| {
        let at = whole.windows(old.len()).position(|bytes| bytes == old).unwrap();
        [&whole[..at], new, &whole[at + old.len()..]].concat()
    };
    let message = with(replaced(b"M\x04\x00M\x00\x0c", b"M\x08\x00M\x00\x06"));
    assert_eq!(message, not_first("its `data` is 8×1536 with 12288 bytes, not N×3072"));
    let message = with(replaced(b"K\x01K\x02K\x03K\x04", b"K\x01K\x02K\x03"));
    assert_eq!(message, format!("`DATA/{PYTHON_1}` holds 3 labels for 4 images: download the dataset again"));
}

#[test]
fn matlab_batches_are_arrays_of_images_with_as_many_labels() {
    let with = |dimensions: &[u32], data: &[u8], labels: &[u8]| {
        let first = matlab_file(dimensions, data, labels);
        refused(&Dataset::Cifar10, small_matlab(Some(first)).path())
    };
    let not_first = |reason| not_the_file(MATLAB_1, reason);
    let two = [0; 2 * 3072];
    assert_eq!(
        with(&[2, 3072], &two, &[1]),
        format!("`DATA/{MATLAB_1}` holds 1 labels for 2 images: download the dataset again")
    );
    assert_eq!(with(&[2, 3072], &two, &[1, 10]), not_first("label 1 is 10, outside 0..=9"));
    assert_eq!(with(&[4, 1536], &two, &[1]), not_first("its `data` is 4×1536 with 6144 bytes, not N×3072"));
    assert_eq!(with(&[0, 3072], &[], &[]), not_first("it holds 0 images, outside 1..=100000"));
    let reason = "array `data` has values of kind 2 and 6144 bytes, not of kind 2 and 9216 bytes";
    assert_eq!(with(&[3, 3072], &two, &[1]), not_first(reason));
    let without = svhn::file(&[svhn::array("data", &[2, 3072], 9, svhn::UINT8, &two)]);
    let message = refused(&Dataset::Cifar10, small_matlab(Some(without)).path());
    assert_eq!(message, not_first("it has no `labels` of the expected kind"));
}

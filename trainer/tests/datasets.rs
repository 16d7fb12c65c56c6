//! Datasets: what they hold, and that a batch is a function of (seed, step).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use acai_datasets::{Counts, counts};
use acai_sweep::training::Dataset;
use acai_trainer::data::lines::{draw, label};
use acai_trainer::data::{Batch, Source, open};
use acai_trainer::medium::Medium;
use tch::{Kind, Tensor};

const BUILT_IN: [Dataset; 2] = [Dataset::Lines32, Dataset::Digits32];

fn built_in(dataset: &Dataset) -> Box<dyn Source> {
    open(dataset, None).unwrap()
}

fn equal(a: &Batch, b: &Batch) -> bool {
    a.images.equal(&b.images) && a.labels.equal(&b.labels)
}

/// The value of pixel (row, column) of an image of a batch.
fn pixel(batch: &Batch, image: i64, row: i64, column: i64) -> f64 {
    batch.images.double_value(&[image, 0, row, column])
}

#[test]
fn lines_are_those_of_the_authors_rasteriser() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/lines_golden.safetensors");
    let golden = Tensor::read_safetensors(path).unwrap();
    let tensor = |name| &golden.iter().find(|(n, _)| n == name).unwrap().1;
    let angles = Vec::<f64>::try_from(tensor("angles")).unwrap();
    assert_eq!(angles.len(), 64);
    for (i, angle) in angles.into_iter().enumerate() {
        let expected = tensor("images").get(i as i64).reshape([-1]);
        let error = (Tensor::from_slice(&draw(angle)) - expected).abs().max().double_value(&[]);
        assert!(error < 1e-12, "angle {angle}: off by {error}");
    }
}

#[test]
fn labels_of_lines_are_tenths_of_the_circle_up_to_its_very_end() {
    let circle = std::f64::consts::TAU;
    let labels = [0.0, 0.0999, 0.1001, 0.55, 0.9999].map(|part| label(part * circle));
    assert_eq!(labels, [0, 0, 1, 5, 9]);
    assert_eq!(label(circle.next_down()), 9);
}

#[test]
fn a_batch_depends_on_seed_and_step_alone() {
    for dataset in &BUILT_IN {
        let source = built_in(dataset);
        // 40 steps of 100 images: nearly three epochs of digits32, asked for backwards.
        let backwards: Vec<Batch> = (0..40).rev().map(|step| source.batch(7, step, 100)).collect();
        let fresh = built_in(dataset);
        for (step, expected) in (0..40).zip(backwards.iter().rev()) {
            let _other_member = fresh.batch(8, step, 100);
            assert!(equal(&fresh.batch(7, step, 100), expected), "{dataset:?}, step {step}");
        }
        assert!(!equal(&backwards[0], &backwards[1]), "{dataset:?}: every step is the same");
        assert!(!equal(&source.batch(8, 0, 100), &source.batch(7, 0, 100)), "{dataset:?}: seed is ignored");
    }
}

/// A run's images are part of its identity: this fails when a new version of a library draws others.
#[test]
fn the_first_labels_of_seed_0_never_change() {
    let labels = |dataset: &Dataset| Vec::<i64>::try_from(built_in(dataset).batch(0, 0, 12).labels).unwrap();
    assert_eq!(labels(&Dataset::Lines32), [7, 4, 4, 3, 2, 7, 2, 6, 1, 6, 6, 8]);
    assert_eq!(labels(&Dataset::Digits32), [2, 4, 3, 9, 1, 0, 7, 9, 3, 0, 1, 7]);
}

#[test]
fn an_epoch_visits_each_training_image_once() {
    let source = built_in(&Dataset::Digits32);
    // 1,437 images in batches of 479: three steps an epoch.
    let epoch = |first| Tensor::cat(&[0, 1, 2].map(|i: u64| source.batch(3, first + i, 479).images), 0);
    let sorted = |images: Tensor| {
        let mut images = Vec::<Vec<f32>>::try_from(images.flatten(1, -1)).unwrap();
        images.sort_by(|a, b| a.partial_cmp(b).unwrap());
        images
    };
    let (first, second) = (epoch(0), epoch(3));
    assert!(!first.equal(&second), "epochs differ in order");
    let mut images = sorted(first);
    assert_eq!(images, sorted(second), "and in nothing else");
    images.dedup();
    assert_eq!(images.len(), 1437, "no image comes twice");
}

#[test]
fn a_batch_may_span_several_epochs() {
    let source = built_in(&Dataset::Digits32);
    let three_epochs = source.batch(3, 0, 3 * 1437);
    let parts: Vec<Tensor> = (0..3).map(|step| source.batch(3, step, 1437).labels).collect();
    assert!(three_epochs.labels.equal(&Tensor::cat(&parts, 0)));
}

#[test]
fn built_in_images_are_32_by_32_in_range_with_labels_below_ten() {
    for dataset in &BUILT_IN {
        let source = built_in(dataset);
        let Counts { train, test } = counts(dataset).unwrap();
        let test_images = test as i64;
        let images = source.train(0..i64::MAX).map(|batch| batch.labels.numel());
        assert_eq!(train, images, "{dataset:?}");
        if let Some(images) = images {
            let last = |first, end| source.train(first..end).expect("the set has an end");
            let (one, none) = (last(images as i64 - 1, i64::MAX), last(images as i64 + 5, images as i64 + 9));
            assert_eq!((one.images.size()[0], none.images.size()[0]), (1, 0));
        }
        assert_eq!((source.medium(), source.classes()), (Medium::GREY, 10));
        assert_eq!(source.test().images.size(), [test_images, 1, 32, 32]);
        for batch in [&source.batch(0, 0, 64), source.test()] {
            assert_eq!(batch.images.size()[1..], [1, 32, 32]);
            assert_eq!(batch.images.size()[..1], batch.labels.size());
            assert_eq!((batch.images.kind(), batch.labels.kind()), (Kind::Float, Kind::Int64));
            assert_eq!(batch.images.min().double_value(&[]), -1.0, "{dataset:?}");
            assert_eq!(batch.images.max().double_value(&[]), 1.0, "{dataset:?}");
            assert!(batch.labels.min().int64_value(&[]) == 0 && batch.labels.max().int64_value(&[]) == 9);
        }
    }
}

#[test]
fn digits_are_split_in_file_order_and_upscaled_bilinearly() {
    let source = built_in(&Dataset::Digits32);
    let digits = source.test();
    // Line 1,438 of the table: 0 4 16 15 2 0 0 0 / 0 11 15 15 7 0 0 0 / … / 0 4 16 16 16 12 11 0.
    // Output pixel p lies at input position (p + 1/2)/4 - 1/2: 1.125 for 6, 1.875 for 9, and so on.
    let mix = |a: f64, b: f64, weight_of_b: f64| (1.0 - weight_of_b) * a + weight_of_b * b;
    let expected = [
        (0, 0, 0.0),
        (0, 6, mix(4.0, 16.0, 0.125)),
        (0, 9, mix(4.0, 16.0, 0.875)),
        (5, 6, mix(mix(4.0, 16.0, 0.125), mix(11.0, 15.0, 0.125), 0.875)),
        (31, 25, mix(12.0, 11.0, 0.875)),
    ];
    for (row, column, value) in expected {
        assert_eq!(pixel(digits, 0, row, column), value / 8.0 - 1.0, "row {row}, column {column}");
    }
    let count = |label: i64| digits.labels.eq(label).sum(Kind::Int64).int64_value(&[]);
    assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(count), [35, 36, 35, 37, 37, 37, 37, 36, 33, 37]);
}

/// A MATLAB file of images with these values and of labels.
fn matlab(images: &[u8], labels: &[u8]) -> Vec<u8> {
    let element = |kind: u32, bytes: &[u8]| {
        let mut element = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
        element.extend(bytes);
        element.resize(element.len().next_multiple_of(8), 0);
        element
    };
    let array = |name: u8, dimensions: &[u32], values: &[u8]| {
        let dimensions: Vec<u8> = dimensions.iter().flat_map(|size| size.to_le_bytes()).collect();
        let name = [1, 0, 1, 0, name, 0, 0, 0];
        let parts =
            [element(6, &[9, 0, 0, 0, 0, 0, 0, 0]), element(5, &dimensions), name.into(), element(2, values)];
        element(14, &parts.concat())
    };
    let mut file = b"MATLAB 5.0 MAT-file".to_vec();
    file.resize(124, b' ');
    file.extend([0x00, 0x01, b'I', b'M']);
    let count = labels.len() as u32;
    [file, array(b'X', &[32, 32, 3, count], images), array(b'y', &[count, 1], labels)].concat()
}

#[test]
fn svhn_is_the_same_whether_its_images_are_in_a_file_that_trainers_share_or_in_memory() {
    let open_svhn = |is_shared: bool| {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("svhn");
        std::fs::create_dir(&folder).unwrap();
        for (part, count) in [("train", 5), ("extra", 4), ("test", 3)] {
            let images: Vec<u8> =
                (0..count * 3072).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let labels: Vec<u8> = (1..=count as u8).collect();
            std::fs::write(folder.join(format!("{part}_32x32.mat")), matlab(&images, &labels)).unwrap();
        }
        if !is_shared {
            // A folder in the place of the file that is locked: so no file can be made, as in a folder of somebody else.
            std::fs::create_dir(folder.join("images.32x32.lock")).unwrap();
        }
        let source = open(&Dataset::Svhn32, Some(data.path())).unwrap();
        assert_eq!(folder.join("images.32x32").is_file(), is_shared);
        // The folder goes with the end of this function, and what is mapped stays.
        source
    };
    let (shared, own) = (open_svhn(true), open_svhn(false));
    assert_eq!((shared.medium(), shared.classes()), (Medium::Images { colours: 3 }, 10));
    assert!(equal(shared.test(), own.test()));
    assert!(equal(&shared.batch(1, 2, 6), &own.batch(1, 2, 6)));
    let all = |source: &dyn Source| source.train(0..9).unwrap();
    assert!(equal(&all(&*shared), &all(&*own)) && all(&*own).labels.size() == [9]);
}

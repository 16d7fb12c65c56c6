//! Clustering against scikit-learn and SciPy: `golden/clusters.py`.

use acai_trainer::score::clustering::{Clustering, Clusters, KMeans, Whitening, matched};
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, Tensor};

const GOLDEN: &[u8] = include_bytes!("../golden/clusters_golden.safetensors");
const CLASSES: i64 = 5;

fn golden(name: &str) -> Tensor {
    let file = SafeTensors::deserialize(GOLDEN).unwrap();
    let view = file.tensor(name).unwrap();
    let shape: Vec<i64> = view.shape().iter().map(|size| *size as i64).collect();
    let kind = if view.dtype() == Dtype::I64 { Kind::Int64 } else { Kind::Double };
    Tensor::from_data_size(view.data(), &shape, kind)
}

fn clustered(examples: &Tensor, clusters: i64, restarts: u32) -> Clusters {
    let mut search = KMeans { clusters, restarts }.search(examples.copy());
    std::iter::repeat_with(|| search.advance()).find_map(|found| found).unwrap()
}

fn clustering_accuracy(
    (train, test): (&Tensor, &Tensor),
    labels: &Tensor,
    classes: i64,
    restarts: u32,
) -> Option<f64> {
    let mut clustering = Clustering::new(train, test, (labels, classes), restarts)?;
    std::iter::repeat_with(|| clustering.advance()).find_map(|accuracy| accuracy)
}

#[test]
fn whitened_codes_are_numpys_up_to_the_sign_of_each_direction() {
    let ours = Whitening::of(&golden("train")).apply(&golden("test")).to_kind(Kind::Double);
    // Eigenvalues ascend, singular values descend. Numpy's last direction is rounding alone; here it is 0.
    let (ours, theirs) = (ours.flip(1).narrow(1, 0, 5), golden("whitened_test").narrow(1, 0, 5));
    let error = (ours.abs() - theirs.abs()).abs().max().double_value(&[]);
    assert!(error < 1e-6, "off by {error}");
}

#[test]
fn the_best_of_many_restarts_has_scikit_learns_inertia() {
    let train = golden("train");
    let whitened = Whitening::of(&train).apply(&train);
    // One start is not enough here: restarts matter.
    let inertia = |restarts| clustered(&whitened, CLASSES, restarts).inertia;
    let (one, many) = (inertia(1), inertia(300));
    let theirs = golden("inertia").double_value(&[0]);
    assert!((many / theirs - 1.0).abs() < 1e-4, "{many} is not {theirs}");
    assert!(one > many, "{one} after one restart, {many} after 300");
}

#[test]
fn accuracy_is_that_of_scikit_learn_and_scipy_whatever_the_labels_are_called() {
    let (train, test, labels) = (golden("train"), golden("test"), golden("labels"));
    let accuracy = |labels: &Tensor| clustering_accuracy((&train, &test), labels, CLASSES, 300).unwrap();
    let theirs = golden("accuracy").double_value(&[0]);
    assert!((accuracy(&labels) - theirs).abs() <= 1.0, "{} is not {theirs}", accuracy(&labels));
    let renamed = (&labels + 2).remainder(CLASSES);
    assert_eq!(accuracy(&renamed), accuracy(&labels));
}

#[test]
fn an_empty_cluster_takes_the_farthest_example() {
    // Ten examples at one place and one far away: a start with two at that place leaves a cluster empty.
    let examples = Tensor::zeros([11, 2], (Kind::Float, Device::Cpu));
    examples.get(10).copy_(&Tensor::from_slice(&[3.0f32, 4.0]));
    for restarts in 1..10 {
        let clusters = clustered(&examples, 2, restarts);
        assert_eq!(clusters.inertia, 0.0, "{clusters:?}");
    }
}

#[test]
fn fewer_different_examples_than_clusters_come_to_an_end() {
    // Where the farthest example is the only one of its cluster, that cluster is left without any.
    let examples = Tensor::full([40, 1], -0.01, (Kind::Float, Device::Cpu));
    examples.get(39).copy_(&Tensor::from_slice(&[1.0f32]));
    let clusters = clustered(&examples, 3, 64);
    assert!(clusters.inertia.abs() < 1e-6, "{clusters:?}");
}

#[test]
fn codes_that_are_not_finite_or_too_few_have_no_accuracy() {
    let labels = Tensor::zeros([3], (Kind::Int64, Device::Cpu));
    let codes = Tensor::ones([3, 2], (Kind::Float, Device::Cpu));
    let accuracy =
        |train: &Tensor, test: &Tensor, classes| clustering_accuracy((train, test), &labels, classes, 2);
    assert_eq!(accuracy(&codes, &codes, 4), None);
    for bad in [f64::NAN, f64::INFINITY] {
        let broken = &codes * bad;
        assert_eq!(accuracy(&broken, &codes, 2), None);
        assert_eq!(accuracy(&codes, &broken, 2), None);
    }
    assert_eq!(accuracy(&codes, &codes, 2), Some(100.0), "all the same, all in one");
}

#[test]
fn clusters_are_matched_with_labels_as_well_as_any_permutation_does() {
    let counts = vec![vec![7, 5, 0, 3], vec![9, 8, 2, 1], vec![4, 6, 5, 5], vec![0, 9, 3, 4]];
    let mut best = 0;
    for code in 0..256 {
        let columns = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3];
        if (0..4).all(|column| columns.contains(&column)) {
            best = best.max((0..4).map(|row| counts[row][columns[row]]).sum());
        }
    }
    assert_eq!(matched(counts), best);
}

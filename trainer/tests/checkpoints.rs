//! Checkpoints give back what was saved, and are refused with a reason when they are not the run's.

use std::fs;
use std::path::Path;

use acai_sweep::training::{Dataset, Model as ModelConfig, Precision, TrainingConfig};
use acai_trainer::checkpoint::{self, Identity, Progress};
use acai_trainer::medium::Medium;
use acai_trainer::model::{self, Input, Model};
use acai_trainer::random::Keyed;
use acai_trainer::score::Recent;
use tch::{Device, Kind, Tensor};

fn identity() -> Identity {
    let config = TrainingConfig {
        model: ModelConfig::Acai { lambda: 0.1 + 0.2, gamma: 0.2, advdepth: 2 },
        dataset: Dataset::Lines32,
        depth: 2,
        latent: 2,
        latent_width: 8,
        batch: 4,
        lr: 1e-3,
        total_kimg: 1.0,
        eval_kimg: 1.0,
        precision: Precision::Fp32,
        kmeans_inits: 1,
    };
    Identity { seed: 3, config }
}

fn progress() -> Progress {
    let mut recent = Recent::default();
    recent.push(1, [("eval/x".to_owned(), 0.1 + 0.2)].into());
    Progress { step: 1, recent }
}

fn untrained() -> Box<dyn Model> {
    let Identity { seed, config } = identity();
    model::new(&[(&config, seed)], (Medium::GREY, 10), (Kind::Float, Device::Cpu)).expect("sizes are valid")
}

/// A model after one step, whose moments are not all zero.
fn trained() -> Box<dyn Model> {
    let mut model = untrained();
    let images = Tensor::linspace(-1, 1, 4 * 32 * 32, (Kind::Float, Device::Cpu)).view([4, 1, 32, 32]);
    let draws = Keyed { keys: &[(3, 0)], options: (Kind::Float, Device::Cpu) };
    let labels = Tensor::from_slice(&[0i64, 1, 2, 3]).unsqueeze(0);
    model::step(&mut *model, &Input { images, labels, draws: &draws }, &[1]);
    model
}

fn state(model: &dyn Model) -> Vec<Tensor> {
    let flat = model.parameters().into_iter().flat_map(|network| {
        [&network.weights, &network.first_moment, &network.second_moment].map(Tensor::copy)
    });
    flat.collect()
}

/// Writes `bytes` as a checkpoint and returns why the run refuses it; its model must be untouched.
fn refusal(bytes: &[u8], identity: &Identity, folder: &Path) -> String {
    let path = folder.join("given.safetensors");
    fs::write(&path, bytes).expect("the folder can be written");
    let mut model = untrained();
    let error = checkpoint::load(&mut *model, identity, &path).expect_err("it is to be refused");
    assert_eq!(state(&*model), state(&*untrained()));
    assert!(error.is_of_the_file(), "{error}");
    error.to_string()
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "offsets must stay as they are");
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    let at = at.expect("the text is there");
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

#[test]
fn a_checkpoint_gives_back_weights_moments_and_progress() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = trained();
    let path = checkpoint::save(&*saved, &identity(), &progress(), folder.path()).expect("it can be written");
    assert_eq!(path, folder.path().join("checkpoint-000000001.safetensors"));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else is left there");

    let mut loaded = untrained();
    let loaded_progress = checkpoint::load(&mut *loaded, &identity(), &path).expect("it is the run's own");
    assert_eq!(loaded_progress, progress());
    assert_eq!(state(&*loaded), state(&*saved));
    assert_ne!(state(&*loaded), state(&*untrained()));
}

#[test]
fn what_is_no_checkpoint_of_this_run_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let path = checkpoint::save(&*trained(), &identity(), &progress(), folder).expect("it can be written");
    let whole = fs::read(path).expect("it was written");
    let refused = |bytes: &[u8]| refusal(bytes, &identity(), folder);

    for length in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
        let reason = refused(&whole[..length]);
        assert!(reason.contains("is damaged"), "cut to {length} bytes: {reason}");
    }
    let mut flipped = whole.clone();
    *flipped.last_mut().expect("it is not empty") ^= 1;
    assert!(refused(&flipped).contains("is damaged: it is not what was written"));
    let later = refused(&replaced(&whole, r#"\"step\":1"#, r#"\"step\":3"#));
    assert!(later.contains("is damaged: it is not what was written"), "{later}");

    let golden = include_bytes!("golden/lines_golden.safetensors");
    assert!(refused(golden).contains("is no checkpoint of this program"));
    assert!(refused(b"a text that is not even safetensors").contains("is damaged"));

    let other_seed = Identity { seed: 4, ..identity() };
    let reason = refusal(&whole, &other_seed, folder);
    assert!(reason.ends_with("is of another run: `seed` is `3` there and `4` here"), "{reason}");
    let mut other_lr = identity();
    other_lr.config.lr = 2e-3;
    let reason = refusal(&whole, &other_lr, folder);
    assert!(reason.ends_with("`lr` is `0.001` there and `0.002` here"), "{reason}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let error = checkpoint::save(&*trained(), &identity(), &progress(), Path::new("no/such/folder"));
    let error = error.expect_err("there is no such folder").to_string();
    assert!(error.contains("`no/such/folder/checkpoint-000000001.safetensors`"), "{error}");
}

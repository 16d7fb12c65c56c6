//! Checkpoints give back what was saved, and are refused with a reason when they are not the run's.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use acai_sweep::trainer_protocol::{FailureKind, Member};
use acai_sweep::training::{Dataset, Model as ModelConfig, Precision, TrainingConfig};
use acai_trainer::benchmark::Benchmarks;
use acai_trainer::checkpoint::{self, CheckpointError, Identity, Progress, Snapshot};
use acai_trainer::medium::Medium;
use acai_trainer::model::{self, Input, Model};
use acai_trainer::random::Keyed;
use acai_trainer::score::Recent;
use acai_trainer::session::{Group, Said};
use rustix::fs::{CWD, FileType, Mode, mknodat};
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

/// Writes the checkpoint of `model` into `folder`.
fn save(model: &dyn Model, folder: &Path) -> Result<PathBuf, CheckpointError> {
    Snapshot::new(model, identity(), progress()).write(folder)
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
    let path = save(&*saved, folder.path()).expect("it can be written");
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
    let path = save(&*trained(), folder).expect("it can be written");
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
    let error = save(&*trained(), Path::new("no/such/folder"));
    let error = error.expect_err("there is no such folder").to_string();
    assert!(error.contains("`no/such/folder/checkpoint-000000001.safetensors`"), "{error}");
}

/// What is written to a pipe waits for its reader, as for a slow disk; then the pipe cannot be synced, like a broken one.
#[test]
fn training_goes_on_while_a_checkpoint_is_written_and_ends_if_the_disk_fails() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join(".checkpoint-000000008.safetensors.unfinished");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("it can be made");
    let (reached, is_reached) = channel();
    // If training waited for the disk, nobody would ever say that step 12 is reached.
    let disk = thread::spawn(move || {
        let is_reached = is_reached.recv_timeout(Duration::from_secs(60)).is_ok();
        (fs::read(pipe).expect("it can be read").len(), is_reached)
    });
    let (Identity { seed, config }, own) = (identity(), Default::default());
    let (folder, checkpoint_kimg) = (folder.path().to_owned(), 8.0 * 4.0 / 1024.0);
    let member = Member { run: 1, seed, config, own, folder, resume: None, checkpoint_kimg, weights: false };
    let (group, _) = Group::open(vec![member], &mut Benchmarks::new(Device::Cpu, None));
    let mut group = group.expect("the run can be trained");
    let (run, step, error) = loop {
        group.advance(&mut |_, _| {}).expect("libtorch does not fail");
        let Said { events, mut refusals } = group.take_said();
        if let Some(refusal) = refusals.pop() {
            break refusal;
        }
        assert!(events.is_empty(), "{events:?}");
        if group.steps().eq([(1, 12)]) {
            // Unless the reader has given up.
            let _ = reached.send(());
        }
    };
    let (length, is_reached) = disk.join().expect("the reader ends");
    assert!(is_reached && length > 10_000, "{length} bytes, {is_reached}");
    assert!(run == 1 && (12..=16).contains(&step) && group.steps().next().is_none(), "step {step}");
    assert!(
        error.kind() == FailureKind::Machine && error.paragraph().contains("checkpoint-000000008"),
        "{error}"
    );
}

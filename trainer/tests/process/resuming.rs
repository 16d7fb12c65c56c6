//! Runs that go on from a checkpoint, in another process or another group, to the same bits.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use acai_sweep::trainer_protocol::Member;
use acai_sweep::training::Model;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::trainer::{ACAI, Trainer, checkpoint, member, metrics};

/// Every model, small.
const MODELS: [Model; 9] = [
    Model::Baseline,
    Model::Dropout { dropout: 0.5 },
    Model::Denoising { noise: 1.0 },
    Model::Vae { beta: 1.0 },
    Model::Aae { adversary_lr: 1e-4 },
    Model::Vqvae { beta: 10.0, codes: 16, num_latents: 3 },
    ACAI,
    Model::AcaiVae { beta: 1.0, lambda: 0.5, gamma: 0.2, advdepth: 2 },
    Model::Pixels,
];

/// The newest checkpoint that trainings of run 1 have left in these folders.
fn newest(folders: &[PathBuf]) -> Option<PathBuf> {
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let paths = files.map(|file| file.expect("a file").path());
    let checkpoints = paths.filter(|path| path.extension().is_some_and(|it| it == "safetensors"));
    checkpoints.max_by_key(|path| path.file_name().map(ToOwned::to_owned))
}

#[test]
fn a_run_killed_at_any_step_and_resumed_in_another_folder_ends_bit_equal_to_one_without_interruption() {
    const STEPS: u32 = 60;
    let mut kills = ChaCha8Rng::seed_from_u64(0);
    for model in MODELS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let uninterrupted = Trainer::start(vec![member(1, model.clone(), STEPS, &at("uninterrupted"))]);
        let began = Instant::now();
        let (expected, status, log) = uninterrupted.end();
        let length = began.elapsed();
        assert!(status.success(), "{model:?}: {log}");

        let mut folders: Vec<PathBuf> = Vec::new();
        let mut resumed = |kill_after: Option<Duration>| {
            let resume = newest(&folders);
            folders.push(at(&format!("attempt {}", folders.len())));
            let run = member(1, model.clone(), STEPS, folders.last().expect("pushed above"));
            let trainer = Trainer::start(vec![Member { resume, ..run }]);
            // Whatever it does at that moment: a step, an evaluation, a checkpoint, half of its start.
            let (events, status, log) = match kill_after {
                Some(after) => {
                    thread::sleep(after);
                    trainer.kill()
                }
                None => trainer.end(),
            };
            assert!(kill_after.is_some() || status.success(), "{model:?}: {log}");
            for event in metrics(&events, 1, 0) {
                assert!(expected.contains(event), "{model:?}: {event:?} was not to be");
            }
            events.last().cloned()
        };
        for _ in 0..3 {
            resumed(Some(length.mul_f64(kills.random_range(0.1..0.5))));
        }
        assert_eq!(resumed(None), expected.last().cloned(), "{model:?}");
        let last = |path| fs::read(path).expect("the last step has a checkpoint");
        let of_all = last(newest(&folders).expect("it has ended"));
        assert!(
            of_all == last(checkpoint(&at("uninterrupted"), STEPS.into())),
            "{model:?}: other final checkpoints"
        );
    }
}

#[test]
fn a_member_of_a_group_goes_on_in_another_group_to_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let group = vec![member(1, ACAI, 30, &at("first")), member(2, ACAI, 30, &at("other"))];
    let (_, status, log) = Trainer::start(group).end();
    assert!(status.success(), "{log}");

    let resume = Some(checkpoint(&at("first"), 24));
    let again = Member { resume, ..member(1, ACAI, 30, &at("second")) };
    let group = vec![member(3, ACAI, 30, &at("third")), member(4, ACAI, 30, &at("fourth")), again];
    let (_, status, log) = Trainer::start(group).end();
    assert!(status.success(), "{log}");
    let last = |name| fs::read(checkpoint(&at(name), 30)).expect("the last step has a checkpoint");
    assert!(last("first") == last("second"), "the final checkpoints differ");
}

#[test]
fn a_longer_run_that_goes_on_from_a_shorter_ones_end_reports_what_it_would_have_reported_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let (shorter, longer) = (14, 30);
    let (_, status, log) = Trainer::start(vec![member(1, ACAI, shorter, &at("shorter"))]).end();
    assert!(status.success(), "{log}");
    let resume = Some(checkpoint(&at("shorter"), shorter.into()));
    let lengthened = Member { resume, ..member(1, ACAI, longer, &at("lengthened")) };
    let (lengthened, status, log) = Trainer::start(vec![lengthened]).end();
    assert!(status.success(), "{log}");
    let (straight, status, log) = Trainer::start(vec![member(1, ACAI, longer, &at("straight"))]).end();
    assert!(status.success(), "{log}");
    assert!(!metrics(&straight, 1, shorter.into()).is_empty());
    assert_eq!(metrics(&lengthened, 1, 0), metrics(&straight, 1, shorter.into()));
    let last = |name| fs::read(checkpoint(&at(name), longer.into())).expect("the last step has a checkpoint");
    assert!(last("lengthened") == last("straight"), "other final checkpoints");
}

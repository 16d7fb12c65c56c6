//! Operations drawn at random.

use acai_coordinator::store::{Duty, Replacing};
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::run::RunState;
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::file::File;
use super::operation::Operation;
use crate::LEASE;

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{
        AddArtifact, AddToken, Announce, Append, Change, Claim, Collect, Commit, Complete, Condemn, Expire,
        Fail, Forget, ForgetEvents, ForgetWorkers, GroupFault, Import, Leave, MachineFault, Note, Register,
        Reject, Release, Renew, Rest, RevokeToken, SetDuty, SetLimits, Start, Upload, UseToken, Wait,
    };
    // The newest mostly hold their runs.
    let attempt = || prop_oneof![2 => 0..3usize, 1 => 0..12usize];
    let step = || select(vec![0u64, 4, 8, 10, 16, 20, 32, 33]);
    let seq = || 0..6u64;
    let ms = || select(vec![0, 1, 1000, LEASE - 1, LEASE, LEASE + 1, 59_999, 60_001, 3 * LEASE]);
    let intent = select(vec![
        Intent::Cancel,
        Intent::Pause,
        Intent::PauseNow,
        Intent::Resume,
        Intent::Retry { states: RETRIED.to_vec(), from_scratch: false },
        Intent::Retry { states: vec![RunState::Cancelled, RunState::Failed], from_scratch: true },
    ]);
    let duty = select(vec![Duty::Open, Duty::Cordoned, Duty::Drained]);
    let work = prop_oneof![
        6 => (0..3u8, 0..4u32, 1..4u32, any::<bool>()).prop_map(|(worker, groups, group_size, is_repeated)| Claim {
            worker, groups, group_size, joins: None, is_repeated: is_repeated && groups == 1 }),
        3 => (0..3u8, 1..4u32, 0..3u8, 0..2u8).prop_map(|(worker, group_size, bit, kimg)| Claim {
            worker, groups: 1, group_size, joins: Some((bit, kimg)), is_repeated: false }),
        3 => (0..3u8, proptest::collection::vec(attempt(), 0..4), ms()).prop_map(|(worker, attempts, term_ms)| Renew {
            worker, attempts, term_ms }),
        8 => (attempt(), of(1..5u64), 0..5u64, step(), 0..3u8).prop_map(|(attempt, first_seq, points, from_step, value)| Append {
            attempt, first_seq, points, from_step, value }),
        4 => (attempt(), of((select(vec![16u64, 32, 20]), seq()))).prop_map(|(attempt, end)| Complete { attempt, end }),
        2 => (attempt(), any::<bool>(), seq()).prop_map(|(attempt, is_diverged, last_seq)| Fail { attempt, is_diverged, last_seq }),
        2 => attempt().prop_map(|attempt| Release { attempt }),
        2 => attempt().prop_map(|attempt| MachineFault { attempt }),
        1 => attempt().prop_map(|attempt| GroupFault { attempt }),
        1 => (attempt(), 0..2u8).prop_map(|(attempt, message)| Note { attempt, message }),
        4 => (attempt(), step(), 0..3u8, 0..3u64).prop_map(|(attempt, step, blob, last_seq)| Commit { attempt, step, blob, last_seq }),
        1 => (attempt(), 0..3u8).prop_map(|(attempt, blob)| Reject { attempt, blob }),
        2 => (attempt(), 0..2u8, step(), 0..3u8).prop_map(|(attempt, name, step, blob)| AddArtifact { attempt, name, step, blob }),
        4 => (0..3u8, any::<bool>()).prop_map(|(blob, replaces)| Upload { blob, replaces }),
    ];
    let care = prop_oneof![
        4 => submission(),
        1 => (file(), 0..8u8, of(0..3u8)).prop_map(|(file, ended, blob)| Import { file, ended, blob }),
        1 => (0..2u8, 0..3u8, ms()).prop_map(|(by, blob, kept_ms)| Announce { by, blob, kept_ms }),
        1 => (0..4u8, select(vec![None, Some(3i64)]), limit()).prop_map(|(sweep, priority, limit)| SetLimits { sweep, priority, limit }),
        4 => (0..4u8, select(vec![None, None, Some(0u32), Some(1), Some(7)]), intent).prop_map(|(sweep, number, intent)| Change {
            sweep, number, intent }),
        1 => (0..4u8).prop_map(|sweep| Forget { sweep }),
        3 => (0..3u8, any::<bool>()).prop_map(|(worker, has_digits)| Register { worker, has_digits }),
        1 => (0..3u8).prop_map(|worker| Leave { worker }),
        1 => (0..3u8, 0..2u32).prop_map(|(worker, slots)| Rest { worker, slots }),
        1 => (0..3u8, duty).prop_map(|(machine, duty)| SetDuty { machine, duty }),
        1 => (0..3u8).prop_map(|blob| Condemn { blob }),
        1 => ms().prop_map(|unused_ms| Collect { unused_ms }),
        4 => ms().prop_map(|ms| Wait { ms }),
        2 => Just(Expire),
        2 => (select(vec![0, 0, 1000, 3 * LEASE]), ms()).prop_map(|(set_back_ms, term_ms)| Start { set_back_ms, term_ms }),
        1 => ms().prop_map(|ms| ForgetWorkers { ms }),
        1 => ms().prop_map(|ms| ForgetEvents { ms }),
        1 => (0..2u8, 0..2u8, of(ms())).prop_map(|(token, digest, valid_ms)| AddToken { token, digest, valid_ms }),
        1 => (0..2u8).prop_map(|token| RevokeToken { token }),
        1 => (0..2u8).prop_map(|token| UseToken { token }),
    ];
    prop_oneof![2 => work, 1 => care]
}

pub(super) fn submission() -> impl Strategy<Value = Operation> {
    let replacing = vec![Replacing::DryRun, Replacing::WithoutResults, Replacing::Any, Replacing::Any];
    (file(), select(replacing)).prop_map(|(file, replacing)| Operation::Submit { file, replacing })
}

fn file() -> impl Strategy<Value = File> {
    let by = prop_oneof![3 => Just(None), 1 => (0..2u8).prop_map(Some)];
    (0..3u8, 0..8u8, 0..2u8, limit(), -1..2i64, by).prop_map(|(sweep, lambdas, kimg, limit, priority, by)| {
        File { sweep, lambdas, kimg, limit, priority, by }
    })
}

fn limit() -> impl Strategy<Value = Option<u32>> {
    select(vec![None, Some(1), Some(2), Some(0)])
}

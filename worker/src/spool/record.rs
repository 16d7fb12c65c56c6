//! The records of a spool.
//!
//! Each record is `[length: u32][CRC-32C of the payload: u32][payload]`, numbers little-endian, the
//! payload one JSON object.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::machine::process_identity::ProcessIdentity;

/// Bytes before each payload.
const PREFIX: usize = 8;

/// One entry of an attempt's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first record of every spool says whose it is.
    Attempt {
        run: u64,
        number: u32,
        /// 0 in spools of version 0.1.0, which knew no tokens.
        #[serde(default)]
        token: u64,
        /// Name of the run's folder.
        folder: PathBuf,
    },
    /// The process that trains the attempt.
    Trainer(ProcessIdentity),
    /// Points in the order of their numbers: metric, step, value.
    Points {
        /// Number of the first; points are numbered from 1.
        first: u64,
        points: Vec<(String, u64, f64)>,
    },
    /// A checkpoint is on disk.
    Checkpoint {
        step: u64,
        /// Relative to the run's folder, which may be mounted elsewhere the next time.
        file: PathBuf,
        /// Number of the last point before it.
        after: u64,
    },
    /// The last record.
    Final {
        /// Number of the last point.
        last: u64,
        word: FinalWord,
    },
}

/// How training ended, when it ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FinalWord {
    /// All steps are trained.
    Finished { step: u64 },
    /// The run failed by its own fault. There is no word for a machine's fault: the run is given back then, as it is
    /// without a final word.
    Failed { kind: OwnFault, message: String },
}

/// A fault that a run is charged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OwnFault {
    /// A loss became NaN or infinite.
    Diverged,
    /// Anything else. Spools of earlier versions name a checkpoint that was refused although none was given.
    #[serde(alias = "checkpoint")]
    Error,
}

impl Record {
    /// Whether training relies on the record before the coordinator knows of it, so that it has to survive a failure of
    /// the machine and not only of the agent.
    pub(crate) fn is_milestone(&self) -> bool {
        matches!(self, Self::Checkpoint { .. } | Self::Final { .. })
    }

    /// Appends the record with its length and checksum, and returns how long that is.
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) -> std::io::Result<u64> {
        let payload = serde_json::to_vec(self)?;
        let length = u32::try_from(payload.len()).map_err(std::io::Error::other)?;
        bytes.extend(length.to_le_bytes());
        bytes.extend(crc32c::crc32c(&payload).to_le_bytes());
        bytes.extend(payload);
        Ok((PREFIX + length as usize) as u64)
    }
}

/// The whole records at the start of `bytes`, each with its length. What follows the first that is
/// torn or damaged is not read: nothing after a gap can be used.
pub(crate) fn decode(mut bytes: &[u8]) -> Vec<(Record, u64)> {
    let mut records = Vec::new();
    while let Some((record, rest)) = first(bytes) {
        records.push((record, (bytes.len() - rest.len()) as u64));
        bytes = rest;
    }
    records
}

fn first(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (payload, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let intact = crc32c::crc32c(payload) == u32::from_le_bytes(*checksum);
    let record = intact.then(|| serde_json::from_slice(payload).ok()).flatten()?;
    Some((record, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> Vec<Record> {
        vec![
            Record::Attempt { run: 7, number: 2, token: 3, folder: "lines-7-run7".into() },
            Record::Points { first: 1, points: vec![("train/loss".into(), 5, -0.0), ("a".into(), 5, 0.1)] },
            Record::Checkpoint { step: 5, file: "attempt-2/step-5".into(), after: 2 },
            Record::Final { last: 2, word: FinalWord::Finished { step: 5 } },
        ]
    }

    fn encoded(records: &[Record]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            record.encode(&mut bytes).unwrap();
        }
        bytes
    }

    fn decoded(bytes: &[u8]) -> Vec<Record> {
        decode(bytes).into_iter().map(|(record, _)| record).collect()
    }

    #[test]
    fn decoding_returns_every_record_and_every_bit_of_its_values() {
        let back = decoded(&encoded(&history()));
        assert_eq!(back, history());
        let Record::Points { points, .. } = &back[1] else { panic!("no points") };
        assert!(points[0].2.is_sign_negative());
        let lengths: u64 = decode(&encoded(&history())).iter().map(|(_, length)| length).sum();
        assert_eq!(lengths, encoded(&history()).len() as u64);
    }

    #[test]
    fn a_last_record_torn_at_any_byte_is_left_out_and_all_before_it_stay() {
        let whole = encoded(&history());
        let before = encoded(&history()[..3]).len();
        for end in before..whole.len() {
            assert_eq!(decoded(&whole[..end]), history()[..3], "cut at byte {end}");
        }
    }

    #[test]
    fn one_flipped_bit_anywhere_ends_the_history_before_its_record() {
        let whole = encoded(&history());
        let before = encoded(&history()[..2]).len();
        let after = encoded(&history()[..3]).len();
        for bit in before * 8..after * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decoded(&damaged), history()[..2], "bit {bit}");
        }
    }

    #[test]
    fn a_final_word_that_names_a_machines_fault_is_left_out_so_that_the_run_is_given_back() {
        let failed = |kind: &str| {
            let word = format!(
                r#"{{"final":{{"last":2,"word":{{"failed":{{"kind":"{kind}","message":"no disk"}}}}}}}}"#
            );
            let mut bytes = encoded(&history()[..3]);
            bytes.extend((word.len() as u32).to_le_bytes());
            bytes.extend(crc32c::crc32c(word.as_bytes()).to_le_bytes());
            bytes.extend(word.into_bytes());
            decoded(&bytes)
        };
        assert_eq!(failed("machine"), history()[..3]);
        for (kind, fault) in
            [("diverged", OwnFault::Diverged), ("error", OwnFault::Error), ("checkpoint", OwnFault::Error)]
        {
            let word = FinalWord::Failed { kind: fault, message: "no disk".into() };
            assert_eq!(failed(kind)[3..], [Record::Final { last: 2, word }]);
        }
    }
}

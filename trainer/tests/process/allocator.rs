//! What a training process has its memory from.

use std::fs;

use acai_sweep::trainer_protocol::Event;

use crate::trainer::{Trainer, program};

const TUNABLES: &str = "GLIBC_TUNABLES";

/// The settings in the environment of a trainer that was started with these.
fn settings(given: Option<&str>) -> String {
    let mut program = program();
    program.args(["serve", "--threads", "1"]).env_remove(TUNABLES);
    program.envs(given.map(|settings| (TUNABLES, settings)));
    let mut trainer = Trainer::of(program);
    assert!(matches!(trainer.next(), Some(Event::Ready { .. })));
    let environment = fs::read(format!("/proc/{}/environ", trainer.pid())).expect("it is running");
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let line = environment.split('\0').find_map(|line| line.strip_prefix("GLIBC_TUNABLES="));
    line.expect("it has settings").to_owned()
}

#[test]
fn a_trainer_has_huge_pages_unless_somebody_has_set_the_allocator_otherwise() {
    let own = settings(None);
    assert!(own.split(':').any(|setting| setting == "glibc.malloc.hugetlb=1"), "{own}");
    assert_eq!(settings(Some("glibc.malloc.check=0")), "glibc.malloc.check=0");
}

//! How many runs a worker asks for as one group when it is to find that out.

use acai_proto::v1::{Gpu, Group, Hardware};
use acai_worker::{GroupSize, Summary};

use crate::coordinator::Coordinator;
use crate::setup::{LONG, Machine, group};

/// The sizes of the groups that a worker asks for that has so many GPUs, and whose trainers follow `scenario`.
async fn asked_for(gpus: usize, scenario: &str) -> Vec<u32> {
    let open_group =
        |runs: [u64; 2]| Group { shape: "lines".to_owned(), name: "c/0".to_owned(), ..group(runs) };
    let coordinator = Coordinator::start(LONG, [open_group([1, 2]), open_group([3, 4])]).await;
    let mut machine = Machine::new(&coordinator, scenario);
    machine.config.group_size = GroupSize::Auto;
    let gpu = Gpu { name: "NVIDIA H200".to_owned(), memory_bytes: 1 << 37 };
    machine.config.hardware =
        Some(Hardware { host: "host".to_owned(), cores: 2, gpus: vec![gpu; gpus], ..Hardware::default() });

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 4, ..Summary::default() });
    coordinator.read(|state| state.group_sizes[..3].to_vec())
}

const FINISHES: &str =
    "case $start in *'\"run\":1,'*) finished 1 16; finished 2 16;; *) finished 3 16; finished 4 16;; esac";

#[tokio::test(flavor = "multi_thread")]
async fn it_is_one_on_the_cpu_and_eight_on_a_gpu_where_nothing_is_known_yet() {
    assert_eq!(asked_for(0, FINISHES).await, [1, 1, 1]);
    assert_eq!(asked_for(1, FINISHES).await, [8, 8, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_half_as_many_as_those_for_which_memory_lacked() {
    let in_turns = "echo '{\"event\":\"progress\",\"run\":1,\"step\":1,\"in_turns\":true}'";
    let scenario = format!("case $start in *'\"run\":1,'*) {in_turns}; {in_turns};; esac; {FINISHES}");
    assert_eq!(asked_for(1, &scenario).await, [8, 1, 1]);
}

//! Zombies on purpose: old requests of attempts that are known to be dead.

use std::time::Duration;

use tokio::time::sleep;

use super::network::Network;
use crate::journal::Origin;
use crate::random::{Purpose, Random};

const PAUSE: Duration = Duration::from_millis(200);

/// Sends old requests of dead attempts until the network is calm. They come through the first worker's
/// proxy: who sends a request is not what fences it.
pub async fn replay_the_dead(network: &Network) {
    let mut n = 0;
    while !network.is_calm() {
        sleep(PAUSE).await;
        let mut random = Random::keyed(network.seed(), Purpose::Replay, n);
        n += 1;
        if let Some(call) = network.request_of_the_dead(|many| random.below(many)) {
            network.tally.count("old request of a dead attempt");
            let _ = network.forward(0, call, Origin::Zombie, false).await;
        }
    }
}

//! Faults of the Postgres server. Each function says whether the fault happened: not where there is no such server, or
//! while another fault has the server.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use acai_testing::postgres::Postgres;
use tokio::sync::MutexGuard;
use tokio::time::sleep;

use crate::cluster::Cluster;

/// Time in which a session may begin a transaction before it is ended again.
const BETWEEN_ENDS: Duration = Duration::from_millis(20);

impl Cluster {
    pub(super) async fn kill_database(&self, away: Duration) -> anyhow::Result<bool> {
        let Some(mut server) = self.server_to_break() else { return Ok(false) };
        server.kill()?;
        sleep(away).await;
        tokio::task::block_in_place(|| server.start_again())?;
        Ok(true)
    }

    pub(super) async fn take_database_away(&self, length: Duration) -> anyhow::Result<bool> {
        let Some(mut server) = self.server_to_break() else { return Ok(false) };
        server.kill()?;
        let gone = now_ms();
        sleep(length).await;
        let term = i64::try_from(self.lease.as_millis())?;
        self.outages_of_database().push(gone..=now_ms() + term);
        tokio::task::block_in_place(|| server.start_again())?;
        Ok(true)
    }

    pub(super) async fn end_sessions(&self, length: Duration) -> bool {
        let mut ended = 0;
        let end = Instant::now() + length;
        while Instant::now() < end {
            // Fails where the server is down.
            ended += self.database.end_sessions().await.unwrap_or(0);
            sleep(BETWEEN_ENDS).await;
        }
        ended > 0
    }

    fn server_to_break(&self) -> Option<MutexGuard<'_, Postgres>> {
        self.database_server.as_ref()?.try_lock().ok()
    }
}

/// By the true clock, in milliseconds from 1970.
#[expect(clippy::disallowed_methods, reason = "the clock of the server under test, which is on this machine")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

//! The places where checkpoints are kept, who collects garbage there, and what has become of files.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::clock::{Clock, ManualClock};
use acai_coordinator::garbage::{Ages, Collector};
use acai_coordinator::store::BlobFile;
use rand::{Rng, RngExt};
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::cluster::{DatabaseNumber, folder_in_memory};
use crate::network::{Answer, Call};
use crate::visit::{Damage, Gate, Log, Putting, Stop, Trouble, Visit};

/// How long files stay that nothing needs: short, so that uploads and commits may come too late.
pub(crate) const AGES: Ages = Ages { unused_ms: 20_000, abandoned_ms: 15_000 };
/// Collectors of garbage, whatever the number of coordinators.
pub(crate) const COLLECTORS: usize = 2;

pub(crate) type SharedCollector = Arc<tokio::sync::Mutex<Collector>>;

/// An upload, or a collection of garbage, that stands still.
pub(crate) struct UnderWay {
    pub(crate) call: Call,
    pub(crate) coordinator: usize,
    pub(crate) task: JoinHandle<Answer>,
    pub(crate) reached: mpsc::UnboundedReceiver<()>,
    pub(crate) go: Arc<Semaphore>,
}

impl UnderWay {
    /// Its answer, unless it stands still before.
    pub(crate) async fn next(&mut self) -> Option<Answer> {
        tokio::select! {
            biased;
            answer = &mut self.task => Some(answer.unwrap()),
            Some(()) = self.reached.recv() => None,
        }
    }
}

pub(crate) struct Depot {
    folder: TempDir,
    places: Vec<Arc<Directory>>,
    /// The one that the coordinators' database has: it shares that with its backups alone.
    pub(crate) current: usize,
    clock: ManualClock,
    collectors: Vec<SharedCollector>,
    pub(crate) log: Arc<Mutex<Log>>,
    /// What is wrong with all places, and whether nobody repairs them while runs are trained.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) for_good: bool,
    pub(crate) under_way: Vec<UnderWay>,
    /// Files that have been damaged by chance.
    pub(crate) damaged: HashSet<BlobFile>,
    /// Files that have been deleted, and the database by which they were not needed.
    pub(crate) deleted: HashMap<BlobFile, DatabaseNumber>,
    /// Blobs that have been found out to be damaged while answers were taken in that were given before.
    pub(crate) condemned: BTreeSet<String>,
}

impl Depot {
    pub(crate) fn new(clock: ManualClock) -> Depot {
        let mut depot = Depot {
            folder: folder_in_memory(),
            places: Vec::new(),
            current: 0,
            clock,
            collectors: Vec::new(),
            log: Arc::default(),
            trouble: None,
            for_good: false,
            under_way: Vec::new(),
            damaged: HashSet::new(),
            deleted: HashMap::new(),
            condemned: BTreeSet::new(),
        };
        depot.add_place();
        depot.collectors = (0..COLLECTORS).map(|_| depot.new_collector()).collect();
        depot
    }

    /// Makes a place for another database.
    pub(crate) fn add_place(&mut self) -> usize {
        let number = self.places.len();
        let place = Directory::open(&self.folder.path().join(number.to_string())).unwrap();
        self.places.push(Arc::new(place));
        number
    }

    pub(crate) fn place(&self) -> &Arc<Directory> {
        &self.places[self.current]
    }

    fn new_collector(&self) -> SharedCollector {
        let collector = Collector::on_clock(AGES, Clock::Manual(self.clock.clone()));
        Arc::new(tokio::sync::Mutex::new(collector))
    }

    /// One that is not at it.
    pub(crate) fn collector(&self, number: usize) -> Option<SharedCollector> {
        let collector = &self.collectors[number];
        collector.try_lock().is_ok().then(|| Arc::clone(collector))
    }

    /// The process of a coordinator is killed, and what it has seen is forgotten.
    pub(crate) fn forget_collector(&mut self, coordinator: usize, coordinators: usize) {
        for number in (0..COLLECTORS).filter(|number| number % coordinators == coordinator) {
            self.collectors[number] = self.new_collector();
        }
    }

    pub(crate) fn fair(&self) -> Visit {
        Visit::fair(self.place(), &self.log)
    }

    /// A visit to put a file there, with faults by chance.
    pub(crate) fn visit_to_put(&self, random: &mut impl Rng) -> Visit {
        let mut visit = Visit { trouble: self.trouble, lost_before: self.lost(), ..self.fair() };
        match random.random_range(0..40) {
            0 => visit.trouble = visit.trouble.or(Some(Trouble::Passing)),
            1 => visit.putting = Putting::Refused(Trouble::Passing),
            2 => visit.putting = Putting::Refused(Trouble::Lasting),
            3 => visit.putting = Putting::Refused(Trouble::Full),
            4 | 5 => visit.putting = Putting::AnswerLost,
            6 => visit.putting = Putting::Overdue,
            7 => visit.putting = Putting::Damaged(draw_damage(random)),
            8..=10 => visit.stops = vec![Stop::BeforePut],
            11..=13 => visit.stops = vec![Stop::AfterPut],
            14 => visit.stops = vec![Stop::BeforePut, Stop::AfterPut, Stop::BeforeDelete],
            _ => {}
        }
        visit
    }

    /// A visit to delete files, with faults by chance.
    pub(crate) fn visit_to_delete(&self, random: &mut impl Rng) -> Visit {
        let mut visit = Visit { trouble: self.trouble, ..self.fair() };
        match random.random_range(0..10) {
            0 => visit.trouble = visit.trouble.or(Some(Trouble::Passing)),
            1 | 2 => visit.stops = vec![Stop::Listed],
            3 | 4 => visit.stops = vec![Stop::BeforeDelete],
            5 => visit.stops = vec![Stop::Listed, Stop::BeforeDelete],
            _ => {}
        }
        visit
    }

    /// Something breaks in the places, or is repaired.
    pub(crate) fn change(&mut self, random: &mut impl Rng) {
        let chance = random.random_range(0..16);
        if self.for_good {
            return;
        }
        self.for_good = chance < 2;
        self.trouble = match chance {
            0 | 2 => Some(Trouble::Lasting),
            1 | 3 => Some(Trouble::Full),
            4 => Some(Trouble::Passing),
            _ => None,
        };
    }

    /// Files that have been damaged or deleted.
    pub(crate) fn lost(&self) -> HashSet<BlobFile> {
        self.damaged.iter().chain(self.deleted.keys()).cloned().collect()
    }

    /// Whether a file may be missing, or damaged, that the `database` knows.
    pub(crate) fn is_lost(&self, file: &BlobFile, database: DatabaseNumber) -> bool {
        self.damaged.contains(file) || self.deleted.get(file).is_some_and(|by| *by != database)
    }
}

/// A way for the visit to stand still, and what is needed to let it go on.
pub(crate) fn gate(visit: &mut Visit) -> (mpsc::UnboundedReceiver<()>, Arc<Semaphore>) {
    let ((reached, heard), go) = (mpsc::unbounded_channel(), Arc::new(Semaphore::new(0)));
    visit.gate = Some(Gate { reached, go: Arc::clone(&go) });
    (heard, go)
}

pub(crate) fn draw_damage(random: &mut impl Rng) -> Damage {
    [Damage::Gone, Damage::Shorter, Damage::Other][random.random_range(0..3)]
}

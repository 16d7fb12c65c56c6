//! K-means with many restarts, as batched matrix products.

use rand::seq::index::sample;
use tch::{Kind, Tensor};

use crate::random::{Purpose, stream};

/// Iterations of a restart, at most.
const ITERATIONS: usize = 1000;
/// A restart ends when its centres moved less than this share of the data's mean variance (scikit-learn's `tol`,
/// which the authors left at its default).
const TOLERANCE: f64 = 1e-4;
/// Restarts that run at once.
const TOGETHER: u32 = 64;
/// Distances at once: 64 MiB, and as much for the indicators of clusters.
const DISTANCES: i64 = 1 << 24;

/// Lloyd's algorithm from random examples as centres; the restart with the least inertia wins.
#[derive(Debug, Clone, Copy)]
pub struct KMeans {
    /// How many clusters.
    pub clusters: i64,
    /// How many starts, at least one.
    pub restarts: u32,
}

/// Centres that were found.
#[derive(Debug)]
pub struct Clusters {
    /// `[clusters, d]`, f32.
    pub centres: Tensor,
    /// Sum of squared distances of all examples to their nearest centre.
    pub inertia: f64,
}

/// What examples say of R sets of centres.
struct Assignment {
    /// Means of the examples nearest to each centre, `[R, k, d]`.
    means: Tensor,
    /// `[R]`, f64.
    inertia: Tensor,
}

/// The way to the best clusters of examples, an iteration at a time.
#[derive(Debug)]
pub struct Search {
    kmeans: KMeans,
    /// `[n, d]`.
    examples: Tensor,
    /// Sum of their squares, `[]`, f64.
    squares: Tensor,
    /// How far centres at rest may move.
    tolerance: f64,
    /// Restarts that have begun.
    begun: u32,
    /// Those of them that have not all come to rest.
    moving: Option<Moving>,
    best: Option<Clusters>,
}

/// Restarts that run at once.
#[derive(Debug)]
struct Moving {
    /// `[R, k, d]`.
    centres: Tensor,
    /// Which of them rest, `[R]`.
    resting: Tensor,
    /// How often they have moved.
    iteration: usize,
}

impl KMeans {
    /// Begins to cluster examples `[n, d]` (f32, finite, n at least `clusters`). Random numbers are keyed by the restart.
    #[must_use]
    pub fn search(self, examples: Tensor) -> Search {
        let variance = examples.to_kind(Kind::Double).var_dim([0].as_slice(), false, false).mean(None);
        let tolerance = TOLERANCE * variance.double_value(&[]);
        let squares = examples.square().sum(Kind::Double);
        Search { kmeans: self, examples, squares, tolerance, begun: 0, moving: None, best: None }
    }

    /// Random different examples, `[k, d]`.
    fn start(&self, examples: &Tensor, restart: u32) -> Tensor {
        let mut random = stream(0, Purpose::Clusters, restart.into());
        let chosen = sample(&mut random, examples.size()[0] as usize, self.clusters as usize);
        let chosen: Vec<i64> = chosen.into_iter().map(|example| example as i64).collect();
        examples.index_select(0, &Tensor::from_slice(&chosen).to_device(examples.device()))
    }
}

impl Clusters {
    /// The cluster of each of the examples `[m, d]`: `[m]`, i64.
    pub fn of(&self, examples: &Tensor) -> Tensor {
        distances(examples, &self.centres.unsqueeze(0)).argmin(2, false).squeeze_dim(1)
    }
}

impl Search {
    /// Moves the centres of the restarts that run at once; the best clusters, when all restarts have come to rest.
    ///
    /// # Panics
    /// When called again after that.
    pub fn advance(&mut self) -> Option<Clusters> {
        let Moving { centres, resting, iteration } = self.moving.take().unwrap_or_else(|| self.begin());
        let Assignment { means, inertia } = assign(&self.examples, &centres);
        self.judge(&centres, &resting, inertia + &self.squares);
        // Those that rest were judged where they rest, and go.
        let moving = resting.logical_not().nonzero().squeeze_dim(1);
        if moving.numel() > 0 {
            let (from, to) = (centres.index_select(0, &moving), means.index_select(0, &moving));
            let moved = (&to - from).square().sum_dim_intlist([1, 2].as_slice(), false, Kind::Double);
            let rest = moved.le(self.tolerance);
            let resting = if iteration + 1 < ITERATIONS { rest } else { rest.ones_like() };
            self.moving = Some(Moving { centres: to, resting, iteration: iteration + 1 });
        } else if self.begun == self.kmeans.restarts {
            return self.best.take();
        }
        None
    }

    /// The next restarts.
    fn begin(&mut self) -> Moving {
        let restarts = self.begun..self.kmeans.restarts.min(self.begun + TOGETHER);
        self.begun = restarts.end;
        let starts: Vec<Tensor> =
            restarts.map(|restart| self.kmeans.start(&self.examples, restart)).collect();
        let centres = Tensor::stack(&starts, 0);
        let resting = Tensor::zeros([centres.size()[0]], (Kind::Bool, centres.device()));
        Moving { centres, resting, iteration: 0 }
    }

    /// Keeps the best of the centres that rest.
    fn judge(&mut self, centres: &Tensor, resting: &Tensor, inertia: Tensor) {
        let inertia = Vec::<f64>::try_from(inertia).expect("a vector of f64");
        let resting = Vec::<bool>::try_from(resting).expect("a vector of bool");
        for (restart, (inertia, _)) in
            inertia.into_iter().zip(resting).enumerate().filter(|(_, (_, rests))| *rests)
        {
            if self.best.as_ref().is_none_or(|best| inertia.total_cmp(&best.inertia).is_lt()) {
                self.best = Some(Clusters { centres: centres.get(restart as i64).copy(), inertia });
            }
        }
    }
}

/// Assigns examples `[n, d]` to the nearest of each set of centres `[R, k, d]`. The inertia is without ‖x‖², the
/// same for all sets.
fn assign(examples: &Tensor, centres: &Tensor) -> Assignment {
    let (sets, clusters, width) = centres.size3().expect("sets, centres, values");
    let options = (Kind::Float, examples.device());
    let numbers = Tensor::arange(clusters, (Kind::Int64, examples.device()));
    let mut sums = Tensor::zeros([sets * clusters, width], options);
    let mut counts = Tensor::zeros([sets * clusters], options);
    let mut inertia = Tensor::zeros([sets], (Kind::Double, examples.device()));
    for block in examples.split((DISTANCES / (sets * clusters)).max(1), 0) {
        let (nearest, labels) = distances(&block, centres).min_dim(2, true); // [b, R, 1]
        inertia += nearest.squeeze_dim(2).sum_dim_intlist([0].as_slice(), false, Kind::Double);
        let members = labels.eq_tensor(&numbers).to_kind(Kind::Float).flatten(1, 2); // [b, R·k]
        sums += members.tr().matmul(&block);
        counts += members.sum_dim_intlist([0].as_slice(), false, None);
    }
    let (sums, counts) = (sums.view([sets, clusters, width]), counts.view([sets, clusters]));
    // One after the other: it hardly ever happens.
    for set in
        Vec::<i64>::try_from(counts.eq(0.0).any_dim(1, false).nonzero().squeeze_dim(1)).expect("indices")
    {
        occupy(examples, &centres.get(set), &sums.get(set), &counts.get(set));
    }
    // A cluster that gave its only example away has none until the next iteration.
    Assignment { means: sums / counts.clamp_min(1.0).unsqueeze(2), inertia }
}

/// Gives each empty cluster the example that lies farthest from its own centre, as scikit-learn does. `sums` `[k, d]`
/// and `counts` `[k]` of the clusters with centres `[k, d]` are changed.
fn occupy(examples: &Tensor, centres: &Tensor, sums: &Tensor, counts: &Tensor) {
    let empty = counts.eq(0.0).nonzero().squeeze_dim(1);
    let (nearest, labels) = distances(examples, &centres.unsqueeze(0)).squeeze_dim(1).min_dim(1, false);
    let squares = examples.square().sum_dim_intlist([1].as_slice(), false, None);
    let (_, far) = (nearest + squares).topk(empty.numel() as i64, 0, true, true);
    let (moved, left) = (examples.index_select(0, &far), labels.index_select(0, &far));
    let (mut sums, mut counts) = (sums.shallow_clone(), counts.shallow_clone());
    let ones = counts.ones_like().narrow(0, 0, far.numel() as i64);
    let _ = sums.index_add_(0, &left, &-&moved).index_add_(0, &empty, &moved);
    let _ = counts.index_add_(0, &left, &-&ones).index_add_(0, &empty, &ones);
}

/// Squared distances `[b, R, k]` of examples `[b, d]` to centres `[R, k, d]`, less ‖x‖².
fn distances(examples: &Tensor, centres: &Tensor) -> Tensor {
    let (sets, clusters, width) = centres.size3().expect("sets, centres, values");
    let squares = centres.square().sum_dim_intlist([2].as_slice(), false, None).flatten(0, 1);
    let twice = (centres * -2.0).view([sets * clusters, width]);
    squares.addmm(examples, &twice.tr()).view([-1, sets, clusters])
}

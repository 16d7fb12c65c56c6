//! Pictures of what a model does, laid out as the authors' are.

use tch::{Kind, Tensor};

use super::{Benchmark, Path};
use crate::medium::Medium;
use crate::model::Model;
use crate::picture::{Raster, share, strips};
use crate::random::{Draws, Keyed, Purpose};

/// Rows and columns of a picture, in images.
const ROWS: usize = 12;
const COLUMNS: i64 = 16;

/// A named picture: of images a PNG file, of strings a text.
#[derive(Debug)]
pub struct Picture {
    /// What it shows: `reconstructions`, `interpolations`, `spherical_interpolations` or `samples`.
    pub name: &'static str,
    /// How its file's name ends: `png` or `txt`.
    pub extension: &'static str,
    /// The file.
    pub file: Vec<u8>,
}

impl Benchmark {
    /// Pictures of `model`, which is of one run: reconstructions below their originals; interpolations from left to
    /// right; samples, where the model has a prior.
    #[must_use]
    pub fn pictures(&self, model: &dyn Model) -> Vec<Picture> {
        let _guard = tch::no_grad_guard();
        let (from, to) = self.pairs(ROWS);
        let (from, to) = (self.test_images(&from), self.test_images(&to));
        let along = |path| self.interpolate(model, (&from, &to), COLUMNS, path);
        let shares: Vec<String> = (0..COLUMNS).map(|step| share(step, COLUMNS)).collect();
        let mut pictures = vec![
            self.drawn("interpolations", &shares, &along(Path::Line)),
            self.drawn("spherical_interpolations", &shares, &along(Path::Sphere)),
        ];
        pictures.push(match self.source.medium() {
            Medium::Images { .. } => self.drawn("reconstructions", &[], &self.reconstructions(model)),
            Medium::Strings { .. } => {
                let names = ["original", "decoded"].map(str::to_owned);
                self.drawn("reconstructions", &names, &self.pairs_with_reconstructions(model))
            }
        });
        if model.has_prior() {
            let numbers: Vec<String> = (1..=COLUMNS).map(|number| number.to_string()).collect();
            pictures.push(self.drawn("samples", &numbers, &self.samples(model)));
        }
        pictures
    }

    /// A picture of examples `[rows, columns, c, h, 32]`; strings are told by what their columns are called.
    fn drawn(&self, name: &'static str, columns: &[String], examples: &Tensor) -> Picture {
        match self.source.medium() {
            Medium::Images { .. } => Picture { name, extension: "png", file: Raster::grid(examples).png() },
            Medium::Strings { .. } => {
                Picture { name, extension: "txt", file: strips(columns, examples).into_bytes() }
            }
        }
    }

    /// Test strings beside what comes back of them: `[rows, 2, c, 1, 32]`, as many rows as a picture's.
    fn pairs_with_reconstructions(&self, model: &dyn Model) -> Tensor {
        let strings = &self.source.test().images;
        let strings = strings.narrow(0, 0, (ROWS as i64).min(strings.size()[0]));
        let decoded = self.decode(model, &self.encode(model, &strings, 0).latents);
        Tensor::stack(&[strings.to_device(self.device), decoded], 1)
    }

    /// Rows of test images, each above the row of their reconstructions: `[12, 16, c, 32, 32]`, less where there are few
    /// images.
    fn reconstructions(&self, model: &dyn Model) -> Tensor {
        let images = &self.source.test().images;
        let count = images.size()[0];
        let columns = COLUMNS.min(count);
        let images = images.narrow(0, 0, (ROWS as i64 / 2 * columns).min(count));
        let decoded = self.decode(model, &self.encode(model, &images, 0).latents);
        let rows = |images: &Tensor| images.to_device(self.device).split(columns, 0);
        let pairs = rows(&images).into_iter().zip(rows(&decoded)).flat_map(|(above, below)| [above, below]);
        let whole = pairs.filter(|row| row.size()[0] == columns);
        Tensor::stack(&whole.collect::<Vec<_>>(), 0)
    }

    /// Decoded draws from N(0, 1), the same codes for every run of a shape: `[12, 16, c, 32, 32]`.
    fn samples(&self, model: &dyn Model) -> Tensor {
        let shape = self.encode(model, &self.test_images(&[0]), 0).latents.size();
        let (n, d) = (ROWS as i64 * COLUMNS, shape[1..].iter().product());
        let draws = Keyed { keys: &[(0, 0)], options: (Kind::Float, self.device) };
        let codes = draws.normal(Purpose::Prior, n, d).view([n, shape[1], shape[2], shape[3]]);
        let images = self.decode(model, &codes);
        let size = images.size();
        images.reshape([ROWS as i64, COLUMNS, size[1], size[2], size[3]])
    }
}

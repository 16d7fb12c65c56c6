//! Every model learns.

use acai_trainer::model::{self, Input, Model};
use acai_trainer::network::channels_last;
use acai_trainer::random::Keyed;
use acai_trainer::score::accuracy;
use tch::{Kind, Tensor};

use crate::small_run::{Case, cases, config, device, open};

/// Squared error of the images' reconstructions, and accuracy of the classifier on them.
fn scores(model: &dyn Model, images: &Tensor, labels: &Tensor) -> (f64, f64) {
    let _guard = tch::no_grad_guard();
    let codes = model.encode(images, &Keyed { keys: &[(0, 0)], options: (Kind::Float, device()) });
    let error = (model.decode(&codes.latents) - images).square().mean(Kind::Double);
    let logits = model.classify(&codes.features).squeeze_dim(0);
    (error.double_value(&[]), accuracy(&logits, labels))
}

/// A codebook as it is when each code has long been in use, which it is not before some thousand steps.
fn settle(model: &dyn Model) {
    for (name, average) in model.averages() {
        let mut average = average.shallow_clone();
        match name {
            "codebook_counts" => drop(average.fill_(1.0)),
            _ => average.copy_(&average.sin()),
        }
    }
}

/// Trains on one batch until a tenth of the untrained model's error is left and each image is classified.
fn steps_to_overfit(case: &Case) -> Option<u64> {
    let source = open(case);
    let batch = source.batch(0, 0, 4);
    let (images, labels) =
        (channels_last(&batch.images.to_device(device())), batch.labels.to_device(device()));
    let mut config = config(case, 0);
    config.depth = 4;
    let mut model = model::new(&[(&config, 0)], (source.medium(), source.classes()), (Kind::Float, device()))
        .expect("sizes are valid");
    settle(&*model);
    let (untrained, _) = scores(&*model, &images, &labels);
    (1..=2000).find(|&t| {
        let draws = Keyed { keys: &[(0, t)], options: (Kind::Float, device()) };
        let input = Input { images: images.copy(), labels: labels.unsqueeze(0), draws: &draws };
        model::step(&mut *model, &input, &[t]);
        let (error, accuracy) = scores(&*model, &images, &labels);
        error <= untrained / 10.0 && accuracy == 100.0
    })
}

#[test]
fn each_model_overfits_one_batch() {
    for case in cases() {
        assert!(steps_to_overfit(&case).is_some(), "{case:?}");
    }
}

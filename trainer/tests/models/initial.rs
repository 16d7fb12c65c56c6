//! What models start from, and which of them are the same.

use acai_sweep::training::{Dataset, Model as ModelConfig, Precision, TrainingConfig};
use acai_trainer::data::{self, Source};
use acai_trainer::medium::Medium;
use acai_trainer::model::{self, AdversarialRegularizer, Input, Interpolated, Model};
use acai_trainer::network::{Architecture, Members, channels_last};
use acai_trainer::random::Keyed;
use tch::{Device, Kind, Tensor};

fn config(model: ModelConfig) -> TrainingConfig {
    TrainingConfig {
        model,
        dataset: Dataset::Digits32,
        depth: 4,
        latent: 2,
        latent_width: 4,
        batch: 8,
        lr: 1e-3,
        total_kimg: 1.0,
        eval_kimg: 1.0,
        precision: Precision::Fp32,
        kmeans_inits: 1,
    }
}

fn acai(lambda: f64) -> ModelConfig {
    ModelConfig::Acai { lambda, gamma: 0.2, advdepth: 4 }
}

fn untrained(model: ModelConfig, seed: u64) -> Box<dyn Model> {
    model::new(&[(&config(model), seed)], (Medium::GREY, 10), (Kind::Float, Device::Cpu))
        .expect("sizes are valid")
}

fn trained(model: ModelConfig, source: &dyn Source) -> Box<dyn Model> {
    let mut model = untrained(model, 0);
    for step in 0..3 {
        let batch = source.batch(0, step, 8);
        let draws = Keyed { keys: &[(0, step)], options: (Kind::Float, Device::Cpu) };
        let (images, labels) = (channels_last(&batch.images), batch.labels.unsqueeze(0));
        model::step(&mut *model, &Input { images, labels, draws: &draws }, &[step + 1]);
    }
    model
}

/// Weights of the networks that all models share.
fn shared(model: &dyn Model) -> Tensor {
    let weights: Vec<&Tensor> = model.parameters().iter().take(3).map(|network| &network.weights).collect();
    Tensor::cat(&weights, 1)
}

#[test]
fn initial_weights_of_shared_networks_depend_on_the_seed_alone() {
    let baseline = shared(&*untrained(ModelConfig::Baseline, 7));
    assert_eq!(baseline, shared(&*untrained(acai(0.5), 7)));
    assert_ne!(baseline, shared(&*untrained(ModelConfig::Baseline, 8)));
}

#[test]
fn acai_vae_is_scored_by_its_posterior_means_also_where_lambda_is_0_and_vae_by_draws() {
    let images = channels_last(&Tensor::ones([2, 1, 32, 32], (Kind::Float, Device::Cpu)));
    let is_drawn = |model: ModelConfig| {
        let model = untrained(model, 0);
        let [first, second] = [0, 1].map(|key| {
            model.encode(&images, &Keyed { keys: &[(0, key)], options: (Kind::Float, Device::Cpu) }).latents
        });
        first != second
    };
    for lambda in [0.0, 0.5] {
        assert!(
            !is_drawn(ModelConfig::AcaiVae { beta: 1.0, lambda, gamma: 0.2, advdepth: 4 }),
            "λ = {lambda}"
        );
    }
    assert!(is_drawn(ModelConfig::Vae { beta: 1.0 }));
}

#[test]
fn convolutions_start_with_variance_one_over_1_04_fan_in_and_no_bias() {
    let model = untrained(ModelConfig::Baseline, 0);
    let encoder = model.parameters()[0];
    for (name, values) in encoder.named(&encoder.weights, 0) {
        if name.ends_with("bias") {
            assert_eq!(values.count_nonzero(None).int64_value(&[]), 0, "{name}");
        } else if values.numel() > 1000 {
            let [_, inputs, height, width] = values.size()[..] else { panic!("{name} is no convolution") };
            let relative =
                values.std(false).double_value(&[]).powi(2) * 1.04 * (inputs * height * width) as f64;
            assert!((relative - 1.0).abs() < 0.1, "{name} has {relative} times its variance");
        }
    }
}

#[test]
fn acai_with_lambda_zero_trains_as_the_baseline_and_has_no_critic() {
    let source = data::open(&Dataset::Digits32, None).expect("digits are built in");
    let without = trained(acai(0.0), &*source);
    assert_eq!(without.parameters().len(), 3);
    let baseline = shared(&*trained(ModelConfig::Baseline, &*source));
    assert_eq!(shared(&*without), baseline);
    assert_ne!(shared(&*trained(acai(0.5), &*source)), baseline);
}

#[test]
fn images_get_the_gradient_of_their_squared_guesses_also_where_the_critic_guesses_alpha_exactly() {
    let double = (Kind::Double, Device::Cpu);
    let sizes = Architecture::new(Medium::GREY, 4, 2, 4, Precision::Fp32).expect("sizes are valid");
    let members = Members { seeds: vec![0], lr: vec![1e-3], options: double };
    let regularizer = AdversarialRegularizer::new(&sizes, &[0.5], &[0.2], &members);
    let images = channels_last(&Tensor::linspace(-1, 1, 4 * 32 * 32, double).sin().view([4, 1, 32, 32]));

    let x_mix = images.copy().set_requires_grad(true);
    let guesses = regularizer.critic.forward(&x_mix);
    let expected = Tensor::run_backward(&[guesses.square().mean(None)], &[&x_mix], false, false);

    let right_and_wrong = Tensor::from_slice(&[0.0, 0.3, 0.0, -0.2]).unsqueeze(1);
    let interpolated = Interpolated { alpha: guesses.detach() + right_and_wrong };
    let criticism = regularizer.criticise(&images, &images, &images, &interpolated);
    let error = (&criticism.of_x_mix - &expected[0]).abs().max() / expected[0].abs().max();
    assert!(error.double_value(&[]) < 1e-9, "off by {error}");
}

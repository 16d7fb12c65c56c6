//! What convolutions may be rounded to. A test with a process of its own, since libtorch's switch is one for all of it.

use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_trainer::medium::Medium;
use acai_trainer::model;
use acai_trainer::network::tf32;
use acai_trainer::random::Keyed;
use tch::{Device, Kind, Tensor};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// Codes of two images by an untrained model of this precision.
fn codes(precision: &str) -> Tensor {
    let words = [("model", "baseline"), ("dataset", "lines32"), ("precision", precision)];
    let words = words.map(|(name, word)| (name, Scalar::from(word)));
    let depth = ("depth", Scalar::Int(2));
    let config = Configuration::new(words.into_iter().chain([depth])).expect("it is valid").training_config();
    let model = model::new(&[(&config, 0)], (Medium::GREY, 10), FLOAT).expect("sizes are valid");
    let images = Tensor::linspace(-1, 1, 2 * 32 * 32, FLOAT).view([2, 1, 32, 32]);
    model.encode(&images, &Keyed { keys: &[(0, 0)], options: FLOAT }).latents
}

#[test]
fn a_gpu_may_round_to_tf32_where_a_run_says_so_alone_and_a_cpu_computes_it_in_fp32() {
    let fp32 = codes("fp32");
    for (precision, is_allowed) in [("tf32", true), ("fp32", false), ("tf32", true), ("bf16", false)] {
        let codes = codes(precision);
        assert_eq!(tf32::is_allowed(), is_allowed, "{precision}");
        assert_eq!(codes == fp32, precision != "bf16", "{precision}");
    }
}

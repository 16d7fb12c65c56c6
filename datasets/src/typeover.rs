//! typeover32: sentences typed over each other, a closed curve of 256 strings.
//!
//! String kL + r begins with r characters of sentence k + 1 and goes on with sentence k, for L = 32. Neighbours differ in one
//! character, so that at each point of an interpolation the most likely characters can be a string of the curve, and two
//! strings at a distance of up to L along it differ in as many characters. The order is in the strings, for a model to find.

use crate::strings::{String32, string};

/// The sentences. Those that follow each other, the first after the last too, differ at every place.
const SENTENCES: [&str; 8] = [
    "red old rabbits stare above snow",
    "small clever kings wait at walls",
    "clever tiny monks talk over sand",
    "your monks jump below lazy hills",
    "at nine yellow lakes wolves jump",
    "tiny sailors rest into her barns",
    "off brown walls some ghosts walk",
    "brown ghosts run below my houses",
];

/// The strings of the curve in their order.
#[must_use]
pub fn strings() -> Vec<String32> {
    let sentences = SENTENCES.map(|sentence| string(sentence).unwrap_or_default());
    let following = sentences.iter().cycle().skip(1);
    let typed_over = |(old, new): (&String32, &String32)| {
        let (old, new) = (*old, *new);
        (0..old.len()).map(move |typed| {
            std::array::from_fn(|place| if place < typed { new[place] } else { old[place] })
        })
    };
    sentences.iter().zip(following).flat_map(typed_over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_differ_in_as_many_characters_as_they_are_apart_along_the_curve() {
        let strings = strings();
        assert_eq!(strings.len(), 256);
        assert!(SENTENCES.iter().all(|sentence| string(sentence).is_ok() && sentence.len() == 32));
        for (i, a) in strings.iter().enumerate() {
            for (j, b) in strings.iter().enumerate() {
                let apart = i.abs_diff(j).min(256 - i.abs_diff(j));
                let differing = a.iter().zip(b).filter(|(a, b)| a != b).count();
                assert!(
                    if apart <= 32 { differing == apart } else { differing >= 24 },
                    "{i}, {j}: {differing}"
                );
            }
        }
    }
}

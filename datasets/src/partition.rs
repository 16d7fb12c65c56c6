//! Which of CelebA's pictures are trained and tested on.
//!
//! `list_eval_partition.txt` says it; without it, the numbers of the published pictures do, and then all of them must be
//! there: nothing else would tell half a folder from a whole one. The validation part is trained on, since nothing is
//! chosen by it here.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::{DataError, files};

/// Its name, beside the folder of pictures.
const FILE: &str = "list_eval_partition.txt";
/// Pictures that the published partition trains and validates on: 000001.jpg to 182637.jpg.
pub(crate) const TRAIN: usize = 162_770 + 19_867;
/// Pictures that it tests on: from there to 202599.jpg.
pub(crate) const TEST: usize = 19_962;
const PUBLISHED: usize = TRAIN + TEST;
/// More bytes than this in the partition are refused; the published one has 3 MB.
const MAX_PARTITION: u64 = 1 << 26;

/// Why a file is not CelebA's partition.
#[derive(Debug, thiserror::Error)]
enum PartitionError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("it has more than {} MB", MAX_PARTITION >> 20)]
    Oversized,
    #[error("line {0} is not a picture's name and 0, 1 or 2")]
    Line(usize),
    #[error("line {0} names a picture for the second time")]
    Twice(usize),
    #[error("it does not name the picture `{0}`")]
    NotNamed(String),
}

/// The file beside the folder `pictures` that says it, if there is one.
pub(crate) fn file(pictures: &Path) -> Result<Option<PathBuf>, DataError> {
    let file = pictures.with_file_name(FILE);
    Ok(files::is_file(&file)?.then_some(file))
}

/// Which of the pictures `paths` in the folder `pictures` are tested on. The partition is beside that folder.
pub(crate) fn is_tested(pictures: &Path, paths: &[PathBuf]) -> Result<Vec<bool>, DataError> {
    let Some(file) = file(pictures)? else {
        return by_number(paths).map_err(|found| DataError::NotThePictures {
            folder: pictures.to_owned(),
            found,
            others: paths.len() - found,
            published: PUBLISHED,
            partition: pictures.with_file_name(FILE),
        });
    };
    let mut parts = files::read(&file, read)?;
    let not_named =
        |name| DataError::NotTheFile { path: file.clone(), reason: PartitionError::NotNamed(name).into() };
    let mut is_tested = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        is_tested.push(parts.remove(&*name).ok_or_else(|| not_named(name.into_owned()))?);
    }
    match parts.first_key_value() {
        None => Ok(is_tested),
        Some((name, _)) => {
            let picture = name.escape_debug().to_string();
            Err(DataError::PictureMissing { folder: pictures.to_owned(), picture })
        }
    }
}

/// What the published partition says, if these are the published pictures; else how many of those are there.
fn by_number(paths: &[PathBuf]) -> Result<Vec<bool>, usize> {
    let numbers: Vec<usize> = paths.iter().filter_map(|path| published_number(path)).collect();
    if numbers.len() == PUBLISHED && paths.len() == PUBLISHED {
        Ok(numbers.into_iter().map(|number| number > TRAIN).collect())
    } else {
        Err(numbers.len())
    }
}

/// The number of a published picture.
fn published_number(path: &Path) -> Option<usize> {
    let number = path.file_stem()?.to_str()?.parse().ok()?;
    let is_published = (1..=PUBLISHED).contains(&number) && path.ends_with(format!("{number:06}.jpg"));
    is_published.then_some(number)
}

/// Reads lines of a picture's name and its part: 0 training, 1 validation, 2 test. Says whether each is tested on.
fn read(file: &mut dyn Read) -> Result<BTreeMap<String, bool>, PartitionError> {
    let mut text = String::new();
    file.take(MAX_PARTITION + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_PARTITION {
        return Err(PartitionError::Oversized);
    }
    let mut parts = BTreeMap::new();
    for (index, line) in text.trim_end().lines().enumerate() {
        let (name, is_tested) = match line.split_whitespace().collect::<Vec<_>>()[..] {
            [name, "0" | "1"] => (name, false),
            [name, "2"] => (name, true),
            _ => return Err(PartitionError::Line(index + 1)),
        };
        if parts.insert(name.to_owned(), is_tested).is_some() {
            return Err(PartitionError::Twice(index + 1));
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of the published pictures, in order.
    fn published() -> Vec<PathBuf> {
        (1..=PUBLISHED).map(|number| format!("celeba/img_align_celeba/{number:06}.jpg").into()).collect()
    }

    #[test]
    fn without_a_partition_the_published_numbers_decide() {
        let is_tested = by_number(&published()).unwrap();
        assert_eq!(is_tested.len(), 202_599);
        assert_eq!(is_tested.iter().position(|is_tested| *is_tested), Some(182_637));
        assert_eq!(is_tested.iter().filter(|is_tested| **is_tested).count(), 19_962);
    }

    #[test]
    fn without_a_partition_one_picture_less_or_another_is_too_few() {
        let mut paths = published();
        paths[100_000].set_file_name("100001.jpeg");
        assert_eq!(by_number(&paths), Err(202_598));
        paths.remove(100_000);
        assert_eq!(by_number(&paths), Err(202_598));
        paths.clear();
        assert_eq!(by_number(&paths), Err(0));
    }
}

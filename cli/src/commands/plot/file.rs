//! Figures as files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::raster;
use crate::args::FigureArguments;
use crate::output::Output;

/// Says what is wrong with the file's name before anybody is asked for data.
pub(super) fn check(figure: &FigureArguments) -> anyhow::Result<()> {
    let path = &figure.output;
    ensure!(
        has_extension(path, "svg") || has_extension(path, "png"),
        "`{}` does not end with .svg or .png, which is what figures are\nhint: `rsvg-convert -f pdf FILE.svg` makes a PDF of one",
        path.display()
    );
    refuse_existing(figure, path)
}

/// Writes the figures, one for each dataset, and says where they are.
pub(super) fn write(
    figure: &FigureArguments,
    figures: &[(String, String)],
    output: Output,
) -> anyhow::Result<()> {
    let paths: Vec<PathBuf> = match figures {
        [_] => vec![figure.output.clone()],
        several => several.iter().map(|(dataset, _)| of_dataset(&figure.output, dataset)).collect(),
    };
    paths.iter().try_for_each(|path| refuse_existing(figure, path))?;
    for (path, (_, svg)) in paths.iter().zip(figures) {
        let bytes = match has_extension(path, "png") {
            true => raster::png(svg)?,
            false => svg.clone().into_bytes(),
        };
        fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
        output.data(&path.display().to_string())?;
    }
    Ok(())
}

fn refuse_existing(figure: &FigureArguments, path: &Path) -> anyhow::Result<()> {
    let exists = path.try_exists().unwrap_or(true);
    ensure!(figure.force || !exists, "`{}` exists\nhint: --force replaces it", path.display());
    Ok(())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own == extension)
}

/// `plane.svg` of lines32 is `plane-lines32.svg`.
fn of_dataset(path: &Path, dataset: &str) -> PathBuf {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let dataset: String = dataset.chars().map(safe).collect();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{dataset}.{extension}"))
}

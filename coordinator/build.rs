//! Compiles the migrations in: writes a list of them for each store, which `src/store/migrations.rs` includes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let migrations = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../migrations");
    println!("cargo::rerun-if-changed={}", migrations.display());
    let mut lists = String::new();
    for (list, store) in [("SQLITE", "sqlite"), ("POSTGRES", "postgres")] {
        writeln!(lists, "const {list}: &[(i64, &str, &str)] = &[")?;
        for file in files(&migrations.join(store))? {
            let name =
                file.file_stem().and_then(|name| name.to_str()).ok_or("a migration's name is not text")?;
            let (number, words) =
                name.split_once('_').ok_or_else(|| format!("{name} is not called NUMBER_WORDS.sql"))?;
            let (number, words): (i64, _) = (number.parse()?, words.replace('_', " "));
            writeln!(lists, "    ({number}, {words:?}, include_str!({:?})),", file.display().to_string())?;
        }
        writeln!(lists, "];")?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), lists)?;
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

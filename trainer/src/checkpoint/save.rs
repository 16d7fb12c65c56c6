//! Writing a checkpoint.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::{View, serialize};
use tch::{Device, Kind, Tensor};

use super::header::{FORMAT, METADATA_KEY};
use super::{CheckpointError, Header, Identity, Progress, contents, digest, file_name};
use crate::libtorch;
use crate::model::Model;

/// All that a checkpoint holds of a model at one step: a copy, which training does not change any more.
pub struct Snapshot {
    identity: Identity,
    progress: Progress,
    /// In the order of names.
    tensors: Vec<(String, Stored)>,
}

impl Snapshot {
    /// Copies the state of `model`, which is of the run `identity`, at `progress`.
    #[must_use]
    pub fn new(model: &dyn Model, identity: Identity, progress: Progress) -> Snapshot {
        // First a network as a whole: a GPU is waited for once a copy.
        let model = model.pick(&|tensor| tensor.to_device(Device::Cpu));
        let mut tensors: Vec<(String, Stored)> =
            contents(&*model).into_iter().map(|(name, tensor)| (name, Stored::new(&tensor))).collect();
        tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
        Snapshot { identity, progress, tensors }
    }

    /// Optimizer steps done.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.progress.step
    }

    /// Writes the checkpoint into `folder` and returns the file's path.
    ///
    /// The file appears whole or not at all, also when the machine stops meanwhile.
    ///
    /// # Errors
    /// [`CheckpointError::Write`].
    pub fn write(self, folder: &Path) -> Result<PathBuf, CheckpointError> {
        let path = folder.join(file_name(self.step()));
        let (header, tensors) = self.described();
        let metadata = [(METADATA_KEY, header.to_json())];
        write(tensors, metadata, &path)
            .map_err(|source| CheckpointError::Write { path: path.clone(), source })?;
        Ok(path)
    }

    /// What the checkpoint says of itself, and its tensors.
    pub(super) fn described(self) -> (Header, Vec<(String, Stored)>) {
        let Snapshot { identity, progress, tensors } = self;
        let mut header = Header {
            format: FORMAT,
            identity,
            progress,
            sha256: String::new(),
            built_by: format!("acai-trainer {}, libtorch {}", crate::VERSION, libtorch::version()),
        };
        header.sha256 =
            digest(&header.to_json(), tensors.iter().map(|(name, tensor)| (name.clone(), tensor.data())));
        (header, tensors)
    }
}

/// Writes under another name, makes that durable, renames it, and makes the folder durable.
pub(super) fn write<const N: usize>(
    tensors: Vec<(String, impl View)>,
    metadata: [(&str, String); N],
    path: &Path,
) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let unfinished = folder.join(format!(".{}.unfinished", name.display()));
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
    let bytes = serialize(tensors, Some(metadata)).map_err(io::Error::other)?;
    let written = File::create(&unfinished)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // On a full disk it would be in the way.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    File::open(folder)?.sync_all()
}

/// A tensor of this process's memory as safetensors wants it: row-major bytes.
pub(super) struct Stored {
    bytes: Vec<u8>,
    shape: Vec<usize>,
    dtype: Dtype,
}

impl Stored {
    fn new(tensor: &Tensor) -> Stored {
        let shape = tensor.size().iter().map(|size| *size as usize).collect();
        let tensor = tensor.detach().contiguous();
        let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        Stored { bytes, shape, dtype: dtype(tensor.kind()) }
    }
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.bytes.as_slice().into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// The safetensors type of the kinds that models are trained in.
pub(super) fn dtype(kind: Kind) -> Dtype {
    match kind {
        Kind::Double => Dtype::F64,
        _ => Dtype::F32,
    }
}

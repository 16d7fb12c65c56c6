//! Points of metrics as a Parquet file, a point a row.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use parquet::column::reader::get_typed_column_reader;
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// The columns, in the order of [`Row`]'s fields.
const SCHEMA: &str = "message points {
    required binary sweep (STRING);
    required int64 run;
    required int64 seed (INTEGER(64,false));
    required binary state (STRING);
    required binary metric (STRING);
    required int64 step;
    required double value;
}";

/// Rows that are kept until they are written: some 20 MiB.
const GROUP: usize = 1 << 17;

/// A point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) sweep: String,
    /// The run's number in the sweep.
    pub(crate) run: u32,
    pub(crate) seed: u64,
    pub(crate) state: String,
    pub(crate) metric: String,
    pub(crate) step: u64,
    pub(crate) value: f64,
}

/// Writes a file of points.
pub(crate) struct PointsWriter {
    file: SerializedFileWriter<File>,
    rows: Vec<Row>,
}

impl PointsWriter {
    /// Begins a file, in place of one that is there.
    pub(crate) fn create(path: &Path) -> anyhow::Result<PointsWriter> {
        let file = File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?;
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let properties = Arc::new(WriterProperties::builder().build());
        Ok(PointsWriter { file: SerializedFileWriter::new(file, schema, properties)?, rows: Vec::new() })
    }

    pub(crate) fn add(&mut self, row: Row) -> anyhow::Result<()> {
        self.rows.push(row);
        if self.rows.len() >= GROUP { self.write_group() } else { Ok(()) }
    }

    /// Completes the file.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.write_group()?;
        self.file.close().context("cannot write the points")?;
        Ok(())
    }

    fn write_group(&mut self) -> anyhow::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let text = |of: fn(&Row) -> &str| -> Vec<ByteArray> {
            rows.iter().map(|row| ByteArray::from(of(row))).collect()
        };
        let number = |of: fn(&Row) -> i64| -> Vec<i64> { rows.iter().map(of).collect() };
        let mut group = self.file.next_row_group()?;
        column::<ByteArrayType>(&mut group, &text(|row| &row.sweep))?;
        column::<Int64Type>(&mut group, &number(|row| row.run.into()))?;
        column::<Int64Type>(&mut group, &number(|row| row.seed.cast_signed()))?;
        column::<ByteArrayType>(&mut group, &text(|row| &row.state))?;
        column::<ByteArrayType>(&mut group, &text(|row| &row.metric))?;
        column::<Int64Type>(&mut group, &number(|row| row.step.cast_signed()))?;
        column::<DoubleType>(&mut group, &rows.iter().map(|row| row.value).collect::<Vec<_>>())?;
        group.close()?;
        Ok(())
    }
}

/// Writes the next column of a group.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
) -> anyhow::Result<()> {
    let mut column = group.next_column()?.context("the schema has too few columns")?;
    let writer: &mut ColumnWriterImpl<'_, T> = column.typed::<T>();
    writer.write_batch(values, None, None)?;
    column.close()?;
    Ok(())
}

/// The points of a file that [`PointsWriter`] has written.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let cannot = || format!("cannot read the points in `{}`", path.display());
    let file = File::open(path).with_context(cannot)?;
    let reader = SerializedFileReader::new(file).with_context(cannot)?;
    let names: Vec<String> = reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|it| it.name().to_owned())
        .collect();
    ensure!(
        names == ["sweep", "run", "seed", "state", "metric", "step", "value"],
        "{}: its columns are {}",
        cannot(),
        names.join(", ")
    );
    let mut rows = Vec::new();
    for group in 0..reader.num_row_groups() {
        let texts = |place| values::<ByteArrayType>(&reader, group, place).with_context(cannot);
        let numbers = |place| values::<Int64Type>(&reader, group, place).with_context(cannot);
        let (sweeps, states, metrics) = (texts(0)?, texts(3)?, texts(4)?);
        let (runs, seeds, steps) = (numbers(1)?, numbers(2)?, numbers(5)?);
        let points = values::<DoubleType>(&reader, group, 6).with_context(cannot)?;
        let text = |bytes: &ByteArray| String::from_utf8_lossy(bytes.data()).into_owned();
        for place in 0..points.len() {
            rows.push(Row {
                sweep: text(&sweeps[place]),
                run: u32::try_from(runs[place]).with_context(cannot)?,
                seed: seeds[place].cast_unsigned(),
                state: text(&states[place]),
                metric: text(&metrics[place]),
                step: steps[place].cast_unsigned(),
                value: points[place],
            });
        }
    }
    Ok(rows)
}

/// All values of a column of a group.
fn values<T: DataType>(
    reader: &SerializedFileReader<File>,
    group: usize,
    column: usize,
) -> anyhow::Result<Vec<T::T>> {
    let group = reader.get_row_group(group)?;
    let rows = usize::try_from(group.metadata().num_rows())?;
    let mut values = Vec::new();
    let mut column = get_typed_column_reader::<T>(group.get_column_reader(column)?);
    column.read_records(rows, None, None, &mut values)?;
    ensure!(values.len() == rows, "a column has {} of its {rows} values", values.len());
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("points.parquet");
        let row = |step: u64| Row {
            sweep: "s".to_owned(),
            run: 3,
            seed: u64::MAX - step,
            state: "completed".to_owned(),
            metric: "eval/é".to_owned(),
            step,
            value: 1.0 / step as f64,
        };
        let mut writer = PointsWriter::create(&path).unwrap();
        (1..=1000).for_each(|step| writer.add(row(step)).unwrap());
        writer.finish().unwrap();
        assert_eq!(read(&path).unwrap(), (1..=1000).map(row).collect::<Vec<_>>());

        std::fs::write(&path, "no points").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("cannot read the points"));
    }
}

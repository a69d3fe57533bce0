//! Apache Parquet, written through arrow: typed columns, compressed, in row groups of bounded size.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
    ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use rust_decimal::Decimal;

use super::columns::{Column, Content, Page, Type};
use super::run::FileWriter;
use crate::error::ApiError;
use crate::limits;
use crate::read::plan::internal;

/// Digits of a decimal, and those of them after the point: as the database holds values.
const DECIMAL: (u8, i8) = (20, 4);

#[derive(Default)]
pub(super) struct Parquet {
    writer: Option<ArrowWriter<Vec<u8>>>,
    schema: Option<SchemaRef>,
}

impl FileWriter for Parquet {
    fn head(&mut self, columns: &[Column]) -> Result<Vec<u8>, ApiError> {
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new(&column.name, data_type(column.of), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties));
        self.writer = Some(writer.map_err(|_| failed())?);
        self.schema = Some(schema);
        self.written()
    }

    fn page(&mut self, page: &Page<'_>) -> Result<Vec<u8>, ApiError> {
        let arrays = page.columns.iter().map(|column| array(page, column));
        let arrays = arrays.collect::<Result<Vec<ArrayRef>, ApiError>>()?;
        let (Some(writer), Some(schema)) = (&mut self.writer, &self.schema) else { return Err(failed()) };
        let batch = RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|_| failed())?;
        writer.write(&batch).map_err(|_| failed())?;
        if writer.memory_size() >= limits::EXPORT_ROW_GROUP_BYTES {
            writer.flush().map_err(|_| failed())?;
        }
        self.written()
    }

    fn end(&mut self) -> Result<Vec<u8>, ApiError> {
        let writer = self.writer.take().ok_or_else(failed)?;
        writer.into_inner().map_err(|_| failed())
    }
}

impl Parquet {
    /// What the writer has let go of so far: finished row groups.
    fn written(&mut self) -> Result<Vec<u8>, ApiError> {
        self.writer.as_mut().map(|writer| std::mem::take(writer.inner_mut())).ok_or_else(failed)
    }
}

fn failed() -> ApiError {
    internal("a Parquet file could not be written")
}

fn data_type(of: Type) -> DataType {
    match of {
        Type::Text => DataType::Utf8,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Bool => DataType::Boolean,
        Type::Decimal => DataType::Decimal128(DECIMAL.0, DECIMAL.1),
        Type::Date => DataType::Date32,
        Type::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::List => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
    }
}

/// The cells of a column, whose type is what the declaration says.
fn array(page: &Page<'_>, column: &Column) -> Result<ArrayRef, ApiError> {
    match column.of {
        Type::Text => fill(page, column, StringBuilder::new(), |builder, content| {
            builder.append_option(if let Content::Text(text) = &content { Some(text) } else { None });
        }),
        Type::Int => fill(page, column, Int64Builder::new(), |builder, content| {
            builder.append_option(if let Content::Int(number) = content { Some(number) } else { None });
        }),
        Type::Float => fill(page, column, Float64Builder::new(), |builder, content| {
            builder.append_option(if let Content::Float(number) = content { Some(number) } else { None });
        }),
        Type::Bool => fill(page, column, BooleanBuilder::new(), |builder, content| {
            builder.append_option(if let Content::Bool(is) = content { Some(is) } else { None });
        }),
        Type::Decimal => {
            let builder = Decimal128Builder::new().with_data_type(data_type(Type::Decimal));
            fill(page, column, builder, |builder, content| {
                builder.append_option(if let Content::Decimal(number) = content {
                    Some(scaled(number))
                } else {
                    None
                });
            })
        }
        Type::Date => fill(page, column, Date32Builder::new(), |builder, content| {
            builder.append_option(if let Content::Date(date) = content { days(date) } else { None });
        }),
        Type::Instant => {
            let builder = TimestampMicrosecondBuilder::new().with_data_type(data_type(Type::Instant));
            fill(page, column, builder, |builder, content| {
                let at = if let Content::Instant(at) = content { Some(at.timestamp_micros()) } else { None };
                builder.append_option(at);
            })
        }
        Type::List => fill(page, column, ListBuilder::new(StringBuilder::new()), |builder, content| {
            builder.append_option(if let Content::List(texts) = content {
                Some(texts.into_iter().map(Some))
            } else {
                None
            });
        }),
    }
}

fn fill<B: ArrayBuilder>(
    page: &Page<'_>,
    column: &Column,
    mut builder: B,
    append: impl Fn(&mut B, Content<'_>),
) -> Result<ArrayRef, ApiError> {
    for row in page.rows() {
        append(&mut builder, page.content(row, column)?);
    }
    Ok(builder.finish())
}

/// A decimal in units of its last digit.
fn scaled(mut number: Decimal) -> i128 {
    number.rescale(u32::from(DECIMAL.1.unsigned_abs()));
    number.mantissa()
}

/// Days since 1970-01-01.
fn days(date: NaiveDate) -> Option<i32> {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

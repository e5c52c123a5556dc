//! Reading a whole log, in order, as fast as the database gives it.
//!
//! `COPY … TO STDOUT (FORMAT BINARY)` saves building a row value for each event: the columns are
//! read where they lie in the buffer. COPY takes no parameters; the statement is a constant, and
//! the tenant comes from the transaction's context, which row-level security checks as well.

use db::{Error, TenantTx};
use futures::TryStreamExt as _;
use uuid::Uuid;

use crate::projection::Projection;
use crate::verify::walk::Row;

/// Microseconds from 1970 to 2000, PostgreSQL's epoch.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The header of the format: a signature, flags, and the length of an extension, all constant.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Hands every event of the tenant's log to `each`, by place.
///
/// # Errors
/// When the log cannot be read.
pub async fn read_all(
    tx: &mut TenantTx,
    mut each: impl FnMut(&Row<'_>) + Send,
) -> Result<(), Error> {
    // A long log takes longer than a statement of a request may.
    sqlx::query("SET LOCAL statement_timeout = 0").execute(tx.conn()).await?;
    // The order comes from the index; sorting the log would write all of it to disk once more.
    sqlx::query("SET LOCAL enable_sort = off").execute(tx.conn()).await?;
    let mut chunks = tx
        .conn()
        .copy_out_raw(
            "COPY (
               SELECT tenant_id, seq, id, canon, leaf, mac, occurred_at,
                 action, actor_id, target_type, target_id, decision, success
               FROM countersign.audit_events
               WHERE tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid)
               ORDER BY tenant_id, seq
             ) TO STDOUT (FORMAT BINARY)",
        )
        .await?;
    let mut ended = false;
    // The server sends each row, and the header and the trailer, as a message of its own or joined
    // to its neighbour; it never splits one.
    while let Some(chunk) = chunks.try_next().await? {
        let mut rest = chunk.as_ref();
        if let Some(after) = rest.strip_prefix(SIGNATURE.as_slice()) {
            rest = after.get(8..).ok_or_else(|| Error::internal("a short COPY header"))?;
        }
        while !rest.is_empty() {
            let mut fields = Fields(rest);
            match fields.count() {
                Some(-1) => {
                    ended = true;
                    rest = &[];
                }
                Some(13) => {
                    let row = fields.row().ok_or_else(|| Error::internal("a broken COPY row"))?;
                    each(&row);
                    rest = fields.0;
                }
                _ => return Err(Error::internal("a COPY row of another width")),
            }
        }
    }
    if ended { Ok(()) } else { Err(Error::internal("the COPY stream ended early")) }
}

/// One field.
enum Field<'a> {
    Null,
    Bytes(&'a [u8]),
}

/// The fields of one row, from the left.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn count(&mut self) -> Option<i16> {
        let (count, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i16::from_be_bytes(*count))
    }

    fn field(&mut self) -> Option<Field<'a>> {
        let (length, rest) = self.0.split_first_chunk()?;
        match i32::from_be_bytes(*length) {
            -1 => {
                self.0 = rest;
                Some(Field::Null)
            }
            length => {
                let (field, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                self.0 = rest;
                Some(Field::Bytes(field))
            }
        }
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        match self.field()? {
            Field::Bytes(bytes) => Some(bytes),
            Field::Null => None,
        }
    }

    fn uuid(&mut self) -> Option<Uuid> {
        Uuid::from_slice(self.bytes()?).ok()
    }

    fn integer(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.bytes()?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn row(&mut self) -> Option<Row<'a>> {
        let tenant = self.uuid()?;
        let seq = u64::try_from(self.integer()?).ok()?;
        let id = self.uuid()?;
        let (canon, leaf, mac) = (self.bytes()?, self.bytes()?, self.bytes()?);
        let columns = Projection {
            tenant,
            id,
            occurred_micros: self.integer()?.saturating_add(EPOCH_MICROS),
            action: self.text()?.into(),
            actor: self.uuid()?,
            target_type: self.text()?.into(),
            target_id: self.text()?.into(),
            decision: match self.field()? {
                Field::Bytes(word) => Some(std::str::from_utf8(word).ok()?.into()),
                Field::Null => None,
            },
            success: self.bytes()? == [1],
        };
        Some(Row { seq, canon, leaf, mac, columns })
    }
}

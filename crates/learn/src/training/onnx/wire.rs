//! Reading Protocol Buffers: fields of a message, each checked against the bytes there are.
//!
//! The wire format: <https://protobuf.dev/programming-guides/encoding/>.

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A number of variable length.
    Varint(u64),
    /// 32 bits.
    Fixed32(u32),
    /// Bytes: a text, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// 64 bits, which nothing we read has.
    Fixed64,
}

/// The bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// The fields of a message, in order. Ends after the first that is broken.
pub(super) struct Fields<'a> {
    left: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    fn read(&mut self) -> Result<(u64, Value<'a>), Broken> {
        let key = varint(&mut self.left)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut self.left)?),
            1 => {
                take(&mut self.left, 8)?;
                Value::Fixed64
            }
            2 => {
                let length = usize::try_from(varint(&mut self.left)?).map_err(|_| Broken)?;
                Value::Bytes(take(&mut self.left, length)?)
            }
            5 => Value::Fixed32(fixed(take(&mut self.left, 4)?)?),
            _ => return Err(Broken),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.left = &[];
        }
        Some(read)
    }
}

fn take<'a>(left: &mut &'a [u8], length: usize) -> Result<&'a [u8], Broken> {
    let (taken, rest) = left.split_at_checked(length).ok_or(Broken)?;
    *left = rest;
    Ok(taken)
}

fn fixed(bytes: &[u8]) -> Result<u32, Broken> {
    bytes.try_into().map(u32::from_le_bytes).map_err(|_| Broken)
}

fn varint(left: &mut &[u8]) -> Result<u64, Broken> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *left.first().ok_or(Broken)?;
        *left = &left[1..];
        let bits = u64::from(byte & 0x7F);
        if shift == 63 && bits > 1 {
            return Err(Broken);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Broken)
}

/// Numbers of variable length, packed or one.
pub(super) fn integers(value: Value<'_>, into: &mut Vec<i64>) -> Result<(), Broken> {
    match value {
        Value::Varint(number) => into.push(number.cast_signed()),
        Value::Bytes(mut bytes) => {
            while !bytes.is_empty() {
                into.push(varint(&mut bytes)?.cast_signed());
            }
        }
        Value::Fixed32(_) | Value::Fixed64 => return Err(Broken),
    }
    Ok(())
}

/// Floats of 32 bits, packed or one.
pub(super) fn floats(value: Value<'_>, into: &mut Vec<f32>) -> Result<(), Broken> {
    match value {
        Value::Fixed32(bits) => into.push(f32::from_bits(bits)),
        Value::Bytes(bytes) if bytes.len().is_multiple_of(4) => {
            for chunk in bytes.chunks_exact(4) {
                into.push(f32::from_bits(fixed(chunk)?));
            }
        }
        Value::Bytes(_) | Value::Varint(_) | Value::Fixed64 => return Err(Broken),
    }
    Ok(())
}

/// A text.
pub(super) fn text(value: Value<'_>) -> Result<String, Broken> {
    let Value::Bytes(bytes) = value else { return Err(Broken) };
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Broken)
}

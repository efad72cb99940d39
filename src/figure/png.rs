//! PNG files of 8-bit RGB pixels: signature, header, one compressed stream, end
//! (W3C, Portable Network Graphics, 3rd ed., sections 5 and 11). Every row is stored as the
//! difference from the row above, which suits drawings.

use std::io::{self, Write};

use flate2::{Compression, Crc, write::ZlibEncoder};

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
/// Filter type "up".
const UP: u8 = 2;

/// The bytes of a PNG file of row-major RGB pixels.
pub(super) fn encode(pixels: &[u8], width: u32, height: u32) -> io::Result<Vec<u8>> {
    let stride = width as usize * 3;
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut above = vec![0; stride];
    for row in pixels.chunks(stride.max(1)) {
        let difference: Vec<u8> =
            row.iter().zip(&above).map(|(x, above)| x.wrapping_sub(*above)).collect();
        stream.write_all(&[UP])?;
        stream.write_all(&difference)?;
        above.copy_from_slice(row);
    }
    let mut header = Vec::with_capacity(13);
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // 8 bits, RGB, deflate, adaptive filters, not interlaced
    let mut file = SIGNATURE.to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &stream.finish()?);
    chunk(&mut file, *b"IEND", &[]);
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let mut check = Crc::new();
    check.update(&name);
    check.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(check.sum().to_be_bytes());
}

/// The pixels of a file that [`encode`] wrote, for tests.
#[cfg(test)]
pub(super) fn decode(file: &[u8]) -> (Vec<u8>, u32, u32) {
    use std::io::Read;
    let word = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    let (width, height) = (word(16), word(20));
    let length = word(33) as usize;
    let mut raw = Vec::new();
    flate2::read::ZlibDecoder::new(&file[41..41 + length]).read_to_end(&mut raw).unwrap();
    let stride = width as usize * 3;
    let mut pixels: Vec<u8> = Vec::new();
    for (y, row) in raw.chunks(stride + 1).enumerate() {
        for (x, difference) in row[1..].iter().enumerate() {
            let above = if y == 0 { 0 } else { pixels[(y - 1) * stride + x] };
            pixels.push(difference.wrapping_add(above));
        }
    }
    (pixels, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_survive() {
        let pixels: Vec<u8> = (0..5 * 4 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let file = encode(&pixels, 5, 4).unwrap();
        assert_eq!(decode(&file), (pixels, 5, 4));
        assert!(file.ends_with(&[b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82]));
    }
}

//! Reflected checksums of 32 bits: eight bytes are taken at once, each by its own table.

/// How a byte changes the checksum, and how it does with one to seven bytes of zero behind it.
pub(super) struct Tables([[u32; 256]; 8]);

impl Tables {
    /// Of a polynomial, its bits in reverse.
    #[expect(
        clippy::indexing_slicing,
        reason = "for constants: an index out of range would not compile"
    )]
    pub(super) const fn new(polynomial: u32) -> Self {
        let mut tables = [[0; 256]; 8];
        let mut at = 0_u32;
        while at < 256 {
            let mut value = at;
            let mut bit = 0;
            while bit < 8 * 8 {
                value = if value & 1 == 1 {
                    (value >> 1) ^ polynomial
                } else {
                    value >> 1
                };
                bit += 1;
                if bit % 8 == 0 {
                    tables[bit / 8 - 1][at as usize] = value;
                }
            }
            at += 1;
        }
        Self(tables)
    }

    /// Continues a checksum, without an inversion at start and end.
    pub(super) fn extend(&self, seed: u32, bytes: &[u8]) -> u32 {
        let [last, seventh, sixth, fifth, fourth, third, second, first] = &self.0;
        let of = |table: &[u32; 256], byte: u8| {
            table.get(usize::from(byte)).copied().unwrap_or_default()
        };
        let (eights, rest) = bytes.as_chunks::<8>();
        let whole = eights.iter().fold(seed, |crc, [a, b, c, d, e, f, g, h]| {
            let [w, x, y, z] = crc.to_le_bytes();
            of(first, a ^ w)
                ^ of(second, b ^ x)
                ^ of(third, c ^ y)
                ^ of(fourth, d ^ z)
                ^ of(fifth, *e)
                ^ of(sixth, *f)
                ^ of(seventh, *g)
                ^ of(last, *h)
        });
        rest.iter().fold(whole, |crc, byte| {
            of(last, crc.to_le_bytes()[0] ^ byte) ^ (crc >> 8)
        })
    }
}

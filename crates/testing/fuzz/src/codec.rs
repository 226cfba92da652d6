use storage_compression::{Decode, Encode, Fault, Output};

use crate::cuts::Cuts;

/// Most that is decompressed of one input.
const ENOUGH: usize = 1 << 20;

/// How a decoder ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Where the stream may end.
    Clean,
    /// In the middle of it.
    Early,
    Fault(Fault),
    /// Not at all: more than enough has come out.
    Enough,
}

/// Checks that chunks change nothing, that what was compressed comes back, and that damage is told.
/// `may_cut` says where, of what was compressed, the format cannot tell a cut.
pub(crate) fn check<E: Encode, D: Decode>(
    data: &[u8],
    encoder: impl Fn() -> E,
    decoder: impl Fn() -> D,
    may_cut: impl Fn(&[u8]) -> bool,
) {
    let Some((input, cuts)) = Cuts::split(data) else {
        return;
    };
    check_input(input, cuts, &decoder);
    let compressed = compress(encoder(), input, cuts);
    let (output, end) = decompress(decoder(), cuts.pieces(&compressed), cuts);
    assert!(
        output == input && end == End::Clean,
        "what was compressed comes back: {end:?}"
    );
    let cut = cuts.below(compressed.len(), 1);
    let (output, end) = decompress(decoder(), cuts.pieces(&compressed[..cut]), cuts);
    assert!(input.starts_with(&output), "an intact prefix");
    assert!(
        end == End::Early || (end == End::Clean && may_cut(&compressed[..cut])),
        "cut at {cut} of {}: {end:?}",
        compressed.len()
    );
    let mut flipped = compressed;
    flipped[cut] ^= 1 << cuts.below(8, 2);
    let (output, end) = decompress(decoder(), cuts.pieces(&flipped), cuts);
    assert!(
        end != End::Clean || output == input,
        "a flipped bit at {cut} is taken for data"
    );
}

/// Decodes `input` as it is, whole and in pieces.
fn check_input<D: Decode>(input: &[u8], cuts: Cuts, decoder: &impl Fn() -> D) {
    let (whole, end) = decompress(
        decoder(),
        std::iter::once(input),
        Cuts::split(b"\0\0\0").expect("long enough").1,
    );
    let (cut, cut_end) = decompress(decoder(), cuts.pieces(input), cuts);
    match (&end, &cut_end) {
        (End::Clean | End::Early, _) => {
            assert!(end == cut_end && whole == cut, "{end:?}, {cut_end:?}")
        }
        // A codec may take back what it put in the call that failed.
        (End::Fault(_), End::Fault(_)) | (End::Enough, _) | (_, End::Enough) => {
            let both = whole.len().min(cut.len());
            assert!(whole[..both] == cut[..both], "chunks change the bytes");
        }
        _ => panic!("whole it ends with {end:?}, in chunks with {cut_end:?}"),
    }
}

fn compress<E: Encode>(mut encoder: E, data: &[u8], cuts: Cuts) -> Vec<u8> {
    let mut out = Vec::new();
    let mut room = vec![0; 1 + cuts.below(300, 3)];
    let mut roomy = [0; 16];
    for (turn, mut piece) in (0..).zip(cuts.pieces(data)) {
        while !piece.is_empty() {
            put(&mut out, &mut room, |output| {
                encoder.encode(&mut piece, output)
            });
        }
        if cuts.option(0) && cuts.below(5, turn + 10) == 0 {
            while !put(&mut out, &mut roomy, |output| encoder.flush(output)) {}
        }
    }
    while !put(&mut out, &mut room, |output| encoder.finish(output)) {}
    out
}

fn put<T, R>(
    out: &mut Vec<u8>,
    room: &mut [u8],
    call: impl FnOnce(&mut Output<'_>) -> Result<T, R>,
) -> T
where
    R: std::fmt::Debug,
{
    let mut output = Output::new(room);
    let result = call(&mut output).expect("compression never fails");
    let filled = output.filled();
    out.extend_from_slice(&room[..filled]);
    result
}

fn decompress<'a, D: Decode>(
    mut decoder: D,
    pieces: impl Iterator<Item = &'a [u8]>,
    cuts: Cuts,
) -> (Vec<u8>, End) {
    let mut out = Vec::new();
    let mut room = vec![
        0;
        if cuts.option(1) {
            1 + cuts.below(500, 4)
        } else {
            1 << 16
        }
    ];
    for mut piece in pieces {
        loop {
            let mut output = Output::new(&mut room);
            let before = piece.len();
            let result = decoder.decode(&mut piece, &mut output);
            let (filled, full) = (output.filled(), output.is_full());
            out.extend_from_slice(&room[..filled]);
            if let Err(fault) = result {
                return (out, End::Fault(fault));
            }
            if out.len() > ENOUGH {
                return (out, End::Enough);
            }
            // Until the input is used up and nothing is held back.
            if piece.is_empty() && !full {
                break;
            }
            assert!(piece.len() < before || filled > 0, "no progress");
        }
    }
    let end = if decoder.may_end() {
        End::Clean
    } else {
        End::Early
    };
    (out, end)
}

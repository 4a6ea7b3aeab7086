//! What the kernels of [`super::panels`] and [`super::shorts`] share: registers out of padded lists of values, and back
//! into the outputs of a pixel, of which there may be fewer.

use bytemuck::AnyBitPattern;

/// As many values from `from` on as fill `T`, some registers. Lists are padded so that there are as many.
#[expect(clippy::inline_always, reason = "registers are not handed from function to function through memory")]
#[inline(always)]
pub fn load<T: AnyBitPattern>(values: &[f32], from: usize) -> T {
    let count = size_of::<T>() / size_of::<f32>();
    bytemuck::pod_read_unaligned(bytemuck::cast_slice(&values[from..][..count]))
}

/// Writes a register's `values` into `outputs` from `at` on, as far as those reach.
#[expect(clippy::inline_always, reason = "registers are not handed from function to function through memory")]
#[inline(always)]
pub fn store<const N: usize>(values: [f32; N], outputs: &mut [f32], at: usize) {
    if let Some(outputs) = outputs.get_mut(at..at + N) {
        outputs.copy_from_slice(&values);
    } else if let Some(outputs) = outputs.get_mut(at..) {
        outputs.copy_from_slice(&values[..outputs.len()]);
    }
}

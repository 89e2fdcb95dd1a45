//! What a row of numbers says: its middle and how far it spreads.

/// The middle of some samples and the outermost of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) count: usize,
}

impl Summary {
    /// Of no samples there is none.
    pub(crate) fn of(samples: &[f64]) -> Option<Summary> {
        let sorted = sorted(samples);
        Some(Summary {
            median: percentile(&sorted, 50)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
            count: sorted.len(),
        })
    }
}

/// The middle of what `samples` are of `reference`, each compared with the one
/// taken in the same alternation; of the medians, where they can't be paired.
pub(crate) fn ratio(samples: &[f64], reference: &[f64]) -> Option<f64> {
    if samples.len() == reference.len() {
        let pairs: Vec<f64> = samples.iter().zip(reference).map(|(a, b)| a / b).collect();
        return Summary::of(&pairs).map(|summary| summary.median);
    }
    Some(Summary::of(samples)?.median / Summary::of(reference)?.median)
}

/// In ascending order, without those that are no number.
pub(crate) fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> =
        samples.iter().copied().filter(|sample| sample.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Of sorted samples, the one that `percent` of them are not above.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let (low, rest) = (last * percent / 100, last * percent % 100);
    let high = (low + 1).min(last);
    Some(sorted[low] + (sorted[high] - sorted[low]) * rest as f64 / 100.0)
}

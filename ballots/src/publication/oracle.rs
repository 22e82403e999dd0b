//! The attacker of the tests: exact linear algebra over everything that is shown.

/// The groups of cells whose sum is a combination of the known sums, each as the positions of its cells. `known` says for
/// each sum which cells are in it.
pub(super) fn derivable_groups(known: &[Vec<bool>], cells: usize) -> Vec<Vec<usize>> {
    let known: Vec<Vec<i128>> = known.iter().map(|sum| sum.iter().map(|is_in| i128::from(*is_in)).collect()).collect();
    let rank_of_known = rank(known.clone());
    (1..1u32 << cells)
        .map(|group| (0..cells).filter(|cell| group >> cell & 1 == 1).collect::<Vec<_>>())
        .filter(|group| {
            let target = (0..cells).map(|cell| i128::from(group.contains(&cell))).collect();
            rank([known.clone(), vec![target]].concat()) == rank_of_known
        })
        .collect()
}

/// Rank over the rationals, fraction-free.
fn rank(mut rows: Vec<Vec<i128>>) -> usize {
    let (mut rank, columns) = (0, rows.first().map_or(0, Vec::len));
    for column in 0..columns {
        let Some(pivot) = (rank..rows.len()).find(|row| rows[*row][column] != 0) else { continue };
        rows.swap(rank, pivot);
        let pivot = rows[rank].clone();
        for row in &mut rows[rank + 1..] {
            let (factor, divisor) = (row[column], pivot[column]);
            for (value, above) in row.iter_mut().zip(&pivot) {
                *value = *value * divisor - above * factor;
            }
        }
        rank += 1;
    }
    rank
}

use super::Row;

/// Gives ranks by the score as shown, so that equal figures have equal ranks (1, 1, 3), and puts the ranked rows first.
/// Rows without a score, and sums, have no rank and keep the order in which they came, which tells nothing. One alone is not first.
pub(super) fn rank<Key>(rows: &mut [(Key, Row)]) {
    let is_ranked = |row: &Row| !row.is_sum && !row.is_contested && row.is_valid && row.score.is_some();
    // The best score first; of the others the key says nothing.
    let best_first = |row: &Row| row.score.filter(|_| is_ranked(row)).map(std::cmp::Reverse);
    rows.sort_by_key(|(_, row)| (row.is_sum, !is_ranked(row), best_first(row)));
    if rows.iter().filter(|(_, row)| is_ranked(row)).count() < 2 {
        return;
    }
    let mut last = None;
    for (position, (_, row)) in (1..).zip(rows.iter_mut()).filter(|(_, (_, row))| is_ranked(row)) {
        let rank = match last {
            Some((score, rank)) if score == row.score => rank,
            _ => position,
        };
        last = Some((row.score, rank));
        row.rank = Some(rank);
    }
}

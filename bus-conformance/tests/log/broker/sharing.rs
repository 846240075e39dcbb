//! Who reads which partitions of a topic. Readers keep what they have, as far as all get as many.

/// The partitions that nobody has, each with the reader that is to have it: the one with the fewest.
pub(super) fn free(owners: &[Option<u64>], readers: &[u64]) -> Vec<(usize, u64)> {
    let mut owners = owners.to_vec();
    let mut given = Vec::new();
    for partition in 0..owners.len() {
        if owners[partition].is_some() {
            continue;
        }
        let fewest = readers.iter().copied().min_by_key(|reader| count(&owners, *reader));
        given.extend(fewest.map(|reader| (partition, reader)));
        owners[partition] = fewest;
    }
    given
}

/// The partitions that readers have beyond their share, the last ones first. Those who have most keep one more
/// where the partitions do not come out even.
pub(super) fn excess(owners: &[Option<u64>], readers: &[u64]) -> Vec<usize> {
    let mut readers = readers.to_vec();
    readers.sort_by_key(|reader| std::cmp::Reverse(count(owners, *reader)));
    let mut taken = Vec::new();
    for (rank, reader) in readers.iter().enumerate() {
        let share = owners.len() / readers.len() + usize::from(rank < owners.len() % readers.len());
        let has = owners.iter().enumerate().rev().filter(|(_, owner)| **owner == Some(*reader));
        taken.extend(has.map(|(partition, _)| partition).take(count(owners, *reader).saturating_sub(share)));
    }
    taken
}

fn count(owners: &[Option<u64>], reader: u64) -> usize {
    owners.iter().filter(|owner| **owner == Some(reader)).count()
}

#[test]
fn readers_keep_what_they_have_as_far_as_all_get_as_many() {
    assert_eq!(free(&[None; 3], &[1]), [(0, 1), (1, 1), (2, 1)]);
    assert_eq!(free(&[Some(1), Some(1), None], &[1, 2]), [(2, 2)]);
    assert_eq!(free(&[None], &[]), []);
    assert_eq!(excess(&[Some(1); 5], &[1, 2]), [4, 3]);
    assert_eq!(excess(&[Some(1), Some(2), Some(1), Some(2)], &[1, 2, 3]), [3]);
    assert_eq!(excess(&[Some(1), None], &[1, 2]).len(), 0);
}

use super::*;

#[test]
fn too_little_room_is_left_to_people_with_the_place_to_ask() {
    let desired = LambdaConcurrency::default();
    let left = LambdaConcurrencyCheck.by_hand(&desired, &10);
    assert!(left[0].contains("10 times") && left[0].contains("L-B99A9384"), "{left:?}");
    assert!(LambdaConcurrencyCheck.by_hand(&desired, &50).is_empty());
}

#[test]
fn a_minimum_out_of_range_is_a_problem() {
    assert_eq!(LambdaConcurrency { minimum: 0 }.problems("x")[0].path, "x.minimum");
    assert!(LambdaConcurrency { minimum: 1000 }.problems("x").is_empty());
}

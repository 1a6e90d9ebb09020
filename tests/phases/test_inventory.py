"""The look before the lab: taken once, kept on this machine, and held against what is there after the clean-up."""

from labkit.lab.settings import home
from labkit.phases import clean_up, flow_logs, inventory


def test_nobody_has_looked_at_first(lab):
    assert inventory.first_inventory(lab) is None


def test_catching_up_looks_before_it_makes_anything(lab):
    lab.catch_up(before="flow log to CloudWatch")
    first = inventory.first_inventory(lab)
    assert first.made == ()
    assert first.provided == inventory.take_inventory(lab).provided


def test_the_first_look_stays_the_first(lab):
    assert inventory.take_inventory(lab).made != ()
    inventory.keep_first(lab)
    assert inventory.first_inventory(lab).made == ()


def test_the_proof_has_all_three_looks_side_by_side(lab):
    before = inventory.take_inventory(lab)
    clean_up.remove_everything(lab)
    proof = clean_up.prove(lab, before)
    assert (proof.first.made, proof.left) == ((), ())
    row = next(row for row in proof._rows() if row[0] == "flow log")
    assert row[2:] == ("-", "there", "-")
    assert "before the lab  after it  after clean-up" in str(proof)


def test_what_is_left_is_named_with_its_price_a_day(lab):
    group = flow_logs.create_log_group(lab)
    proof = clean_up.prove(lab, inventory.take_inventory(lab))
    assert [thing.kind for thing in proof.left] == ["log group"]
    assert f"log group {group.id}: a last delivery came after" in str(proof)
    assert "less than a cent a day" in str(proof)


def test_a_flow_log_costs_by_its_destination(lab):
    flow_logs.publish_to_s3(lab, lab.bucket)
    flow_logs.publish_to_cloudwatch(lab)
    costs = [thing.usd_a_day for thing in inventory.take_inventory(lab).made if thing.kind == "flow log"]
    assert len(set(costs)) == 2
    assert all(cost > 0 for cost in costs)


def test_a_reset_begins_with_a_new_look(lab):
    lab.reset()
    assert inventory.first_inventory(lab) is None


def test_a_damaged_file_is_no_obstacle(lab):
    (home() / "first_inventory.json").write_text("{ half")
    assert inventory.first_inventory(lab) is None
    inventory.keep_first(lab)
    assert inventory.first_inventory(lab).made == ()

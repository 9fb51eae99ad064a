"""Which leak is planted for which detector, and what it must say of it."""

from __future__ import annotations

from collections.abc import Callable

from riskmodels.data.leakage import Evidence
from tests.data.leakage.planted_in_columns_and_records import (
    a_different_number_for_everybody,
    a_different_word_for_everybody,
    a_feed_that_breaks,
    a_running_number_under_another_name,
    a_small_county,
    a_word_that_knows_the_outcome,
    closed_once_it_had_happened,
    counts_that_are_written_up_later,
    encoded_with_the_test_outcomes,
    filled_only_where_it_happened,
    many_who_moved_away,
    not_yet_there_when_it_is_scored,
    notes_made_once_it_had_happened,
    one_group_is_linked_less,
    one_group_is_seen_less,
    reviews_that_are_written_up_later,
    sorted_by_what_came_later,
    the_first_step_of_the_outcome,
)
from tests.data.leakage.planted_in_time_and_people import (
    a_cohort_with_a_row_twice,
    an_attribute_as_of_the_extract,
    an_attribute_of_the_outcomes_own_facts,
    an_objector_in_a_table,
    an_objector_in_the_cohort,
    an_undated_cluster,
    an_undated_flag_of_a_link,
    an_undated_rule_of_the_service,
    an_undated_step_of_the_cohort,
    broken_after_the_last_test,
    broken_before_a_test_that_is_not_over,
    calibrated_on_outcomes_that_are_not_over,
    calibrated_on_the_test_rows,
    chosen_on_any_calibration_row,
    divided_by_the_outcomes_own_records,
    facts_of_the_outcomes_own_attribute,
    ids_in_lower_case,
    ids_with_a_dash,
    ids_without_leading_zeros,
    in_another_order,
    joined_with_several_rows_each,
    knowledge_dates_that_were_copied,
    of_somebody_else,
    one_column_for_both_dates,
    outcomes_that_are_not_over,
    people_under_two_ids,
    same_dates_without_the_draw,
    siblings_on_two_dates,
    the_outcomes_own_attribute,
    the_outcomes_own_records_without_knowledge_dates,
    the_test_date_taught,
    the_undated_place_of_dated_crimes,
    undated_facts_in_a_step_of_the_cohort,
    undated_matches_of_a_link,
    used_before_they_were_known,
    used_on_the_day_itself,
    without_knowledge_dates,
)

Plant = tuple[Callable[[], Evidence], str]
PLANTED: dict[str, list[Plant]] = {
    "label_window_overlap": [
        (outcomes_that_are_not_over, "the outcome of 2025-04-01 is not over by"),
        (calibrated_on_outcomes_that_are_not_over, "the outcome of 2025-04-01 is not over by"),
    ],
    "future_facts": [
        (used_before_they_were_known, "these came out differently"),
        (used_on_the_day_itself, "these came out differently"),
        (of_somebody_else, "these came out differently"),
    ],
    "lineage": [
        (the_outcomes_own_records_without_knowledge_dates, "starts and the outcome are read from the same records"),
        (divided_by_the_outcomes_own_records, "part and the outcome are read from the same records"),
        (the_outcomes_own_attribute, "linked and the outcome are read from the same records"),
        (an_attribute_of_the_outcomes_own_facts, "note and the outcome are read from the same records"),
        (facts_of_the_outcomes_own_attribute, "days_absent"),
    ],
    "join_explosion": [
        (joined_with_several_rows_each, "rows and the features more (about "),
        (a_cohort_with_a_row_twice, "fewer than 10 rows of the cohort have the same id and date as another"),
        (in_another_order, "the outcomes are not in the order of the cohort"),
    ],
    "same_rows_twice": [
        (calibrated_on_the_test_rows, "rows are used twice at origin 0"),
        (the_test_date_taught, "rows are used twice at origin 0"),
        (same_dates_without_the_draw, "rows are used twice at origin 0"),
    ],
    "chosen_on_test": [(chosen_on_any_calibration_row, "2 of 4 test dates also serve a later origin for calibration")],
    "same_people_calibrate": [(same_dates_without_the_draw, "ids are on both sides at origin 0")],
    "household_both_sides": [
        (siblings_on_two_dates, "values of people.household_id are on both sides at origin 0"),
    ],
    "same_person_two_ids": [
        (ids_in_lower_case, "ids differ from another only in case, blanks or leading zeros"),
        (ids_without_leading_zeros, "ids differ from another only in case, blanks or leading zeros"),
        (ids_with_a_dash, "ids differ from another only in case, blanks or leading zeros"),
    ],
    "copied_rows": [(people_under_two_ids, "ids have the very features of one of another cluster")],
    "objections_honoured": [
        (an_objector_in_the_cohort, "people who objected to training are still in the cohort (about 10)"),
        (an_objector_in_a_table, "people who objected to training are still in people (fewer than 10)"),
    ],
    "id_like": [
        (a_different_word_for_everybody, "nearly every value differs in: case_number"),
        (a_different_number_for_everybody, "nearly every value differs in: case_number"),
        (a_running_number_under_another_name, "values follow the order of the extract in: score"),
    ],
    "row_position": [(sorted_by_what_came_later, "the order of the rows tells the outcome: people, AUC")],
    "too_good": [
        (notes_made_once_it_had_happened, "almost tells the outcome alone: plans (AUC 0.9"),
        (filled_only_where_it_happened, "almost tells the outcome alone: panel (AUC"),
        (a_word_that_knows_the_outcome, "almost tells the outcome alone: ward (AUC 1.00)"),
    ],
    "filled_in_afterwards": [
        (reviews_that_are_written_up_later, "recorded less than half as often on 2026-06-30: review_latest"),
        (counts_that_are_written_up_later, "recorded less than half as often on 2026-06-30: days_absent"),
        (closed_once_it_had_happened, "without dates, and filled hardly but where the outcome came: result"),
        (not_yet_there_when_it_is_scored, "recorded less than half as often on 2026-06-30: panel"),
    ],
    "post_outcome_proxy": [(notes_made_once_it_had_happened, "as absent as if none were to come: plans")],
    "lead_time": [
        (the_first_step_of_the_outcome, "tells much more in the last month before the date than earlier: referral"),
    ],
    "permuted_outcomes": [(encoded_with_the_test_outcomes, "over 5 shuffles on 2025-10-01 (0.500 within")],
    "undeclared_break": [(a_feed_that_breaks, "events, police_contact: about July 2023, -")],
    "linkage_gap": [(one_group_is_linked_less, "police, Asian against White British: -")],
    "recording_gap": [(one_group_is_seen_less, "much less is written down of: White other (by up to")],
    "outcome_unknown": [(many_who_moved_away, "the outcome is unknown for")],
    "too_few_outcomes": [(a_small_county, "too little data:")],
    "break_spanned": [
        (broken_after_the_last_test, "never tested on the present: a new law (2025-11-01) came after"),
        (broken_before_a_test_that_is_not_over, "never tested on the present: a new law (2025-09-01)"),
    ],
}  # fmt: skip
# Where knowledge dates are missing there is nothing to find, and that is said: unknown, never a pass.
SILENT: list[Plant] = [
    (without_knowledge_dates, "events: taken to be known on the day it happened"),
    (one_column_for_both_dates, "events: taken to be known on the day it happened"),
    (knowledge_dates_that_were_copied, "events: known_on is the same day as happened_on in every row"),
    (an_attribute_as_of_the_extract, "people.ward: as the extract has it"),
    (the_undated_place_of_dated_crimes, "people.ward: as the extract has it"),
    (an_undated_flag_of_a_link, "people.police_linked: as the extract has it"),
    (undated_matches_of_a_link, "matches: as the extract has it"),
    (an_undated_cluster, "people.household_id: as the extract has it"),
    (an_undated_step_of_the_cohort, "people.ward: as the extract has it"),
    (undated_facts_in_a_step_of_the_cohort, "moves: taken to be known on the day it happened"),
    (an_undated_rule_of_the_service, "people.ward: as the extract has it"),
]

"""Every fault of the field that we know of, and the test that tries it: the table of ``docs/reliability.md``."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """A fault in two languages, and the test that tries it, as pytest names it."""

    vi: str
    en: str
    test: str


_FAULTS, _BUNDLE, _EXCHANGE, _QUARANTINE, _FORKS, _INTRUDERS, _NETWORK, _DRAFTS, _FALSE_HUBS = (
    f"tests/test_{name}.py::test_"
    for name in (
        *("faults", "bundle", "exchange", "quarantine", "gaps_and_forks", "intruders", "network", "drafts"),
        "false_hubs",
    )
)

TABLE = (
    Fault(
        "Gói đến theo thứ tự bất kỳ, lặp lại, bị chia, đến trước một phần",
        "Bundles in any order, repeated, split, part of them first",
        "tests/journeys/test_merge_properties.py::test_any_order_repetition_and_splitting_gives_the_same_state",
    ),
    Fault(
        "Máy tắt đột ngột (kill −9) ở bất kỳ câu lệnh SQL nào khi lưu câu trả lời",
        "kill −9 at any SQL statement of a save",
        _FAULTS + "killed_at_any_statement_while_answers_are_saved",
    ),
    Fault("… khi khóa phiếu", "… of a seal", _FAULTS + "killed_at_any_statement_of_a_seal"),
    Fault("… khi hợp nhất", "… of a merge", _FAULTS + "killed_at_any_statement_of_a_merge"),
    Fault("… khi nộp phiếu", "… of a hand-over", _FAULTS + "killed_at_any_statement_of_a_hand_over"),
    Fault(
        "… khi đọc giấy xác nhận",
        "… while a receipt is read",
        _FAULTS + "killed_at_any_statement_while_a_receipt_is_read",
    ),
    Fault(
        "… khi máy khôi phục nhận lại phần đã ghi sau bản sao",
        "… while a restored laptop meets what it had written since the copy",
        _FAULTS + "killed_at_any_statement_while_a_restored_laptop_meets_what_it_had_written",
    ),
    Fault("… khi xóa dữ liệu theo yêu cầu", "… of an erasure", _FAULTS + "killed_at_any_statement_of_an_erasure"),
    Fault(
        "Mất điện, nhật ký ghi trước còn lại một phần bất kỳ",
        "Power cut that leaves any part of the write-ahead log",
        _FAULTS + "a_power_cut_that_leaves_any_part_of_the_log_keeps_what_was_confirmed",
    ),
    Fault(
        "Đĩa đầy ở bất kỳ lần ghi nào",
        "Disk full at any write",
        _FAULTS + "a_disk_that_is_full_at_any_write_loses_nothing_and_the_work_is_done_once_there_is_room",
    ),
    Fault(
        "Rút USB khi đang ghi",
        "Stick pulled while writing",
        _BUNDLE + "a_stick_pulled_while_writing_shows_a_whole_bundle_or_none",
    ),
    Fault(
        "USB đầy ở bất kỳ chỗ nào của gói",
        "Stick that fills up anywhere in a bundle",
        _BUNDLE + "a_stick_that_fills_up_at_any_byte_shows_no_half_bundle",
    ),
    Fault(
        "USB chỉ đọc",
        "Read-only stick",
        _FAULTS + "a_stick_that_cannot_be_written_is_told_and_nothing_counts_as_handed_over",
    ),
    Fault("Lật một bit trong gói", "Flipped bit in a bundle", _BUNDLE + "one_flipped_bit_anywhere_is_seen"),
    Fault(
        "Lật một bit trong giấy xác nhận",
        "Flipped bit in a receipt",
        _FAULTS + "one_flipped_bit_in_a_receipt_makes_nothing_safe",
    ),
    Fault(
        "Lật một bit trong kho dữ liệu",
        "Flipped bit in a store",
        _FAULTS + "one_flipped_bit_anywhere_in_a_store_is_told_and_a_good_copy_makes_it_whole",
    ),
    Fault(
        "Tệp bị cắt cụt hoặc bị nối",
        "Truncated and concatenated files",
        _FAULTS + "bundles_and_receipts_cut_joined_or_with_something_after_them_are_set_aside_and_the_rest_goes_on",
    ),
    Fault(
        "Chữ ký giả",
        "Forged signature",
        _QUARANTINE + "a_forged_signature_sets_one_entry_aside_until_a_good_copy_comes",
    ),
    Fault("Máy lạ", "Unknown device", _QUARANTINE + "an_unknown_device_waits_for_its_key"),
    Fault(
        "Máy đã bị thu hồi (bản ghi đến sau được giữ và nêu tên)",
        "Revoked device (what comes late is kept and named)",
        _EXCHANGE + "what_a_revoked_laptop_still_hands_over_is_merged_and_named",
    ),
    Fault(
        "Bảng hỏi và đơn vị mẫu đến sau phiếu",
        "Questionnaire and unit that arrive after their interview",
        _EXCHANGE + "an_interview_may_come_before_its_questionnaire_and_its_unit",
    ),
    Fault("Đồng hồ sai mười năm", "Clock ten years off", _EXCHANGE + "a_clock_ten_years_wrong_decides_nothing"),
    Fault(
        "Đồng hồ nhảy giữa cuộc phỏng vấn",
        "Clock that steps during an interview",
        _DRAFTS + "a_clock_that_steps_in_the_middle_of_an_interview_changes_no_answer_and_no_order",
    ),
    Fault(
        "Hai máy chủ, mỗi máy nhận một nửa",
        "Two hubs that each get half",
        _FORKS + "two_hubs_that_each_got_half_agree_once_they_met",
    ),
    Fault(
        "Máy chủ mất kho, các máy nộp lại",
        "Hub wiped and fed again by the devices",
        _EXCHANGE + "a_hub_that_lost_its_store_is_fed_again",
    ),
    Fault(
        "Cùng một phiếu dở trên đĩa bị sao chép",
        "The same draft on a copied disk",
        _FORKS + "the_same_draft_on_a_copied_disk_gives_two_versions_and_a_person_decides",
    ),
    Fault(
        "Hai bản của một đĩa nộp cho hai máy chủ",
        "Two copies of a disk that hand over to two hubs",
        _FORKS + "a_copied_disk_whose_entries_reached_two_hubs_is_told_only_what_each_of_them_holds",
    ),
    Fault(
        "Gói là “bom nén”",
        "Zip bomb as bundle",
        _BUNDLE + "a_bundle_that_unpacks_to_more_than_it_announces_is_refused",
    ),
    Fault(
        "Đường dẫn trong tên tệp",
        "A path in a file name",
        _FAULTS + "a_file_name_with_a_path_in_it_writes_nowhere_else",
    ),
    Fault(
        "Mã chỉ gồm số, có số 0 ở đầu",
        "Numeric ids with leading zeros",
        _EXCHANGE + "text_in_any_script_and_ids_with_leading_zeros_arrive_unchanged",
    ),
    Fault("Tên viết theo NFD", "Names in NFD", _DRAFTS + "text_is_kept_in_one_normal_form"),
    Fault(
        "10.000 lần nhập sai PIN",
        "10,000 wrong PINs",
        _INTRUDERS + "ten_thousand_wrong_pins_try_hardly_any_and_the_right_person_gets_in",
    ),
    Fault(
        "Biểu mẫu thiếu mã chống giả mạo (CSRF), mọi trang",
        "Forms without their token (CSRF), every page",
        _INTRUDERS + "no_form_of_any_page_is_taken_without_its_token",
    ),
    Fault(
        "Mã lệnh trong mọi ô chữ (XSS), mọi trang",
        "Script in every text that a person can type (XSS), every page",
        _INTRUDERS + "no_text_of_a_person_becomes_part_of_a_page",
    ),
    Fault(
        "SQL trong chữ và trong địa chỉ trang",
        "SQL in texts and in addresses of pages",
        _INTRUDERS + "text_that_wants_to_be_sql_or_a_format_is_kept_letter_by_letter",
    ),
    Fault(
        "Gài sẵn phiên đăng nhập",
        "Session fixation and forged sessions",
        _INTRUDERS + "a_session_from_before_signing_in_is_worth_nothing_afterwards",
    ),
    Fault(
        "Mở phiếu của người khác bằng địa chỉ",
        "Another person's interview by its address",
        _INTRUDERS + "another_enumerator_opens_and_changes_nothing_of_an_interview",
    ),
    Fault(
        "Yêu cầu quá lớn, các trang",
        "Oversized bodies, pages",
        _INTRUDERS + "a_body_larger_than_any_form_is_refused_and_nothing_of_it_is_kept",
    ),
    Fault(
        "Yêu cầu quá lớn, qua mạng",
        "Oversized bodies, network",
        _NETWORK + "a_body_beyond_all_bounds_is_refused_before_it_is_sent",
    ),
    Fault(
        "Trình duyệt treo, các trang",
        "Slow clients, pages",
        _INTRUDERS + "browsers_that_never_finish_a_sentence_keep_nobody_out",
    ),
    Fault(
        "Máy khách treo, qua mạng",
        "Slow clients, network",
        _NETWORK + "a_slow_client_is_cut_off_and_keeps_nobody_else_out",
    ),
    Fault(
        "Máy bị thu hồi tự ghi mình trở lại",
        "A revoked laptop that writes itself back in",
        _NETWORK + "a_laptop_cannot_take_its_revocation_back",
    ),
    Fault(
        "Giấy xác nhận của người tự xưng là máy chủ: không tính là đã nộp, không làm trống được máy",
        "A receipt of somebody who calls himself a hub: nothing counts as handed over, no laptop is emptied",
        "tests/test_purging.py::test_a_receipt_of_somebody_who_calls_himself_a_hub_empties_no_laptop",
    ),
    Fault(
        "Trả lời không phải của máy chủ (trang Wi-Fi khách sạn, proxy, JSON sai, bị cắt, không có hồi kết)",
        "Answers that no hub gives (a hotel's Wi-Fi, a proxy, malformed, cut, endless)",
        _FALSE_HUBS + "an_answer_that_no_hub_gives_is_told_and_nothing_counts_as_handed_over",
    ),
    Fault(
        "… khi đăng ký máy",
        "… to an enrolment",
        _FALSE_HUBS + "whoever_answers_an_enrolment_in_the_hubs_place_is_neither_pinned_nor_believed",
    ),
    Fault(
        "Giấy xác nhận giả, bị sửa hoặc của máy chủ khác, qua mạng",
        "Receipts that are forged, changed or another hub's, network",
        _FALSE_HUBS + "a_receipt_that_is_not_the_hubs_makes_nothing_safe",
    ),
    Fault(
        "Câu trả lời của máy chủ bị mất trên đường truyền",
        "Answers of the hub that are lost on the line",
        _FALSE_HUBS + "an_answer_that_was_lost_on_the_line_is_asked_for_again",
    ),
    Fault(
        "Nhiều máy cùng nộp qua HTTPS",
        "Many laptops that push at once over HTTPS",
        "tests/test_many_laptops.py::test_many_laptops_push_at_once_and_nothing_is_lost",
    ),
    Fault(
        "Tất cả, theo thứ tự bất kỳ (máy trạng thái)",
        "All of it in any order (state machine)",
        "tests/journeys/test_fieldwork_machine.py::test_nothing_is_lost_whatever_happens_in_whatever_order",
    ),
)

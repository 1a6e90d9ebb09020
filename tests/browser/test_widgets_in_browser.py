"""The form, the checks, the quiz, the pattern tester and the chart with controls, as a learner's hands use them."""

import re

from playwright.sync_api import expect

from tests.browser.jupyter import is_kernel_error


def test_the_form_refuses_what_can_not_be_right_beside_its_field(jupyter):
    jupyter.open("00_start_here")
    jupyter.run("lab = Lab.open()", "lab.settings_form()")
    form = jupyter.output_of("lab.settings_form()")
    bucket, email = form.get_by_label("Bucket"), form.get_by_label("E-mail")
    email.fill("not-an-address")
    expect(form.get_by_text("'not-an-address' has no @")).to_be_visible()
    bucket.fill("My_Bucket")
    expect(form.get_by_text("a bucket's name has only small letters")).to_be_visible()
    form.get_by_role("button", name="Save settings").click()
    expect(form.get_by_text("Not saved: see the fields above.")).to_be_visible()

    email.fill("someone@example.org")
    offered = form.locator("datalist option").evaluate_all("options => options.map(option => option.value)")
    assert [name for name in offered if "vpcflowlogsbucket" in name] != []
    bucket.fill("no-such-bucket")
    expect(form.get_by_text("no bucket found in eu-west-1 is called so")).to_be_visible()
    form.get_by_role("button", name="Save settings").click()
    expect(form.get_by_text("Not saved: The bucket 'no-such-bucket' of the settings isn't there")).to_be_visible()
    bucket.fill(offered[0])
    expect(form.get_by_text("✓ found")).to_be_visible()
    bucket.fill("")
    expect(form.get_by_text(f"✓ the provided one: {offered[0]}")).to_be_visible()
    expect(form.get_by_text("'not-an-address' has no @")).to_have_count(0)
    form.get_by_role("button", name="Save settings").click()
    expect(form.get_by_text("Saved. The lab uses these settings from now on.")).to_be_visible()

    jupyter.run("lab.settings_form()")
    expect(form.get_by_label("E-mail")).to_have_value("someone@example.org")


def tab_to(page, kind: str) -> None:
    """Presses Tab until such a control of an output is reached; what scrolls can be stopped at as well."""
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate(f'document.activeElement.matches(".jp-OutputArea-output {kind}")'):
            return


def test_the_form_is_filled_in_by_keyboard_alone(jupyter):
    page = jupyter.page
    jupyter.open("00_start_here")
    jupyter.run("lab = Lab.open()", "lab.settings_form()")
    expect(page.get_by_label("E-mail")).to_be_visible()
    keys = page.keyboard
    tab_to(page, "select")  # from the cell that ran last
    expect(page.locator("select:focus")).to_have_value(re.compile("sandbox"))
    keys.press("Tab")
    tab_to(page, "input[placeholder*='alarm writes']")
    keys.press("Control+a")
    keys.type("by.keyboard")
    expect(page.get_by_text("'by.keyboard' has no @")).to_be_visible()
    keys.insert_text("@example.org")  # pasted: it reaches the kernel as one change, before the button does
    tab_to(page, "button")
    expect(page.locator("button:focus")).to_have_text("Save settings")
    keys.press("Space")
    expect(page.get_by_text("Saved. The lab uses these settings from now on.")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value("by.keyboard@example.org")


def test_a_check_fails_with_a_hint_and_passes_when_the_work_is_done(jupyter):
    jupyter.open("01_flow_log_to_s3")
    jupyter.run("from labkit import Lab", 'check("flow log to S3")')
    found = jupyter.output_of('check("flow log to S3")')
    expect(found).to_contain_text("absent")
    found.get_by_role("button", name="Hint 1").click()
    expect(found.get_by_role("button", name="Hint 2")).to_be_visible()
    for name in ("Hint 3", "Hide the hints", "Show the hints again"):
        jupyter.page.keyboard.press("Enter")
        expect(found.get_by_role("button", name=name)).to_be_focused()
    jupyter.run("flow_log = flow_logs.publish_to_s3", 'check("flow log to S3")')
    expect(found).not_to_contain_text("absent")
    expect(found).to_contain_text("✓")


def test_a_quiz_says_what_speaks_against_a_wrong_answer_and_for_the_right_one(jupyter):
    jupyter.open("01_flow_log_to_s3")
    jupyter.run("from labkit import Lab", 'quiz("flow log to S3")')
    quiz = jupyter.output_of('quiz("flow log to S3")')
    answers = quiz.locator("ul").first.locator("details")
    verdicts = answers.locator("strong")
    expect(verdicts.first).to_be_hidden()
    wrong = answers.filter(has_text="No. ").first
    wrong.locator("summary").click()
    expect(wrong.locator("strong", has_text="No. ")).to_be_visible()
    right = answers.filter(has_text="Yes. ").first
    right.locator("summary").focus()
    right.locator("summary").press("Enter")
    expect(right.locator("strong", has_text="Yes. ")).to_be_visible()
    expect(wrong.locator("strong", has_text="No. ")).to_be_hidden()


def test_the_pattern_tester_answers_at_every_change(jupyter):
    jupyter.open("04_metric_filter")
    cell = "PatternTester(lab)"
    jupyter.run("from labkit import Lab", cell)
    tester = jupyter.output_of(cell)
    pattern = tester.get_by_label("Pattern")
    pattern.fill("REJECT")
    expect(tester.get_by_text("3 of 4 lines match")).to_be_visible()
    pattern.fill("[version, account")
    expect(tester.get_by_text("InvalidParameterException")).to_be_visible()
    pattern.fill("")
    expect(tester.get_by_text("Type a pattern")).to_be_visible()


def test_the_chart_with_controls_is_drawn_anew_at_every_choice(jupyter):
    jupyter.open("08_rejects_by_source_port_weekday")
    cell = "explore(rejects.reject_counts(lab)"
    jupyter.run("from labkit import Lab", "lab.catch_up", "athena_table.add_partitions", "by_source = ", "import story")
    jupyter.run(cell)
    explorer = jupyter.output_of(cell)
    expect(explorer.get_by_alt_text(re.compile("^What they knocked at"))).to_be_visible()
    explorer.get_by_label("Count by").select_option("weekday and hour")
    expect(explorer.get_by_alt_text(re.compile("^At which hours"))).to_be_visible()
    explorer.get_by_label("At", exact=True).select_option("23 Telnet")
    expect(explorer.get_by_alt_text(re.compile("^At which hours, busiest: Wed 14:00"))).to_be_visible()


def test_a_callback_that_fails_is_heard_on_the_kernels_channel(jupyter):
    """The other tests hear nothing of the kind; this one says that they would."""
    page, listener = jupyter.page, jupyter.listener
    jupyter.open("09_investigation")
    editor = jupyter.code_cells("insights.run_query(lab, ").last.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(
        "import ipywidgets\nbutton = ipywidgets.Button(description='fail')\nbutton.on_click(lambda _: 1 / 0)\nbutton"
    )
    page.keyboard.press("Control+Enter")
    button = page.get_by_role("button", name="fail")
    expect(button).to_be_visible()
    assert listener.heard == []
    channel = next(socket for socket in reversed(listener.channels) if "/channels" in socket.url)
    with channel.expect_event("framereceived", is_kernel_error):
        button.click()
    assert "ZeroDivisionError" in listener.heard.pop()

"""What every service of the sandbox is built on: admitting requests, making changes, and keeping them.

Read it in this order:

1. Admission. `admission.py` (`Gate`) checks host, clock, key and signature before a body is read; `signatures.py`
   parses a signature and `signing.py` computes one. `payloads.py` and `intake.py` (`Intake`) read and verify the body,
   with `checksums.py`. `lives.py` and `machine_time.py` (`Moments`) decide whether a presigned URL has expired.
   `header_form.py` gives all admitted requests one form.
2. Inspection. `inspection.py` reads every request by its service's model, through `bodies.py` (JSON, CBOR),
   `query_form.py`, `rest_request.py`, `safe_xml.py`, `moments.py`, and for S3 `s3_request.py` and `s3_rules.py`.
   `errors.py` has `ServiceError`, an error as AWS answers it.
3. Changes. `changes.py` (`Changes`) is the one way to change a sandbox, under the lock of `fair_lock.py`; `advances.py`
   moves time in steps, and `news.py` wakes whoever waits for a change.
4. Keeping. `witness.py` guards the journal's end; `files.py` (`FileStore`) stores large bodies; `checkpoints.py`,
   `pickling.py` and `meter.py` make a restart cheap.
5. The process. `home_lock.py` allows one server for each home; `entry.py`, `private_files.py`, `presence.py` and
   `waiting.py` are how others find it; `serving.py`, `stand_in.py` and `ending.py` are its life; `small_shell.py` is
   the shell behind its SSH port.

For example, a service changes something when one of its threads is done. The entry is in the journal before the maker
runs, and the maker runs again at a replay:

    changes.makers["query ended"] = lambda entry: finish(entry.request["id"], entry.body)
    changes.make("query ended", {"id": query.id}, result)
"""

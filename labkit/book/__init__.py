"""All notebooks run headless, in order, and bound into one HTML page: `make workbook`.

`workbook.py` runs them, `binding.py` binds the executed ones.
"""

"""The project's own fax generator: Japanese faxes with ground truth, deterministic by seed, nothing in them real.

    python -m benchmarks.faxgen fonts                                 handwriting-style fonts into .fonts/ (npm)
    python -m benchmarks.faxgen make OUT --count 600 --seed 1         a corpus over all classes
    python -m benchmarks.faxgen trials OUT --each 4 --seed 1          what the reading's accuracy is measured on
    python -m benchmarks.faxgen samples                               the faxes of samples/ again

A sheet is drawn in grey at 408 dpi (`paper`) by one of the layouts (`forms`), scanned and damaged to 1 bit (`machine`)
and written as CCITT TIFF or PDF beside a JSON file with everything that is true of it (`catalogue.make`).
"""

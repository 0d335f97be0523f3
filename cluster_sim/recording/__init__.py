"""What is written down of a run: measurements, series, histograms and logs."""

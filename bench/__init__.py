"""What Lighthouse costs, measured against what a user would take instead, as ratios within one run: `make bench`."""

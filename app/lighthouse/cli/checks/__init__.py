"""What `lighthouse doctor` looks at. A check asks the machine or the bridge, and judges the answer."""

"""What a link leads to: pages and images of strangers, fetched without believing anybody."""

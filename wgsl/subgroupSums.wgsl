// As laneSums.wgsl, for workgroups of any size on an adapter that puts together the lanes of a subgroup by itself.
// In workgroup memory: shares, a value a subgroup.

// The sum of all lanes' values: the adapter's order within a subgroup, that of the subgroups beyond.
fn sumOf(value: Value, lane: i32) -> Value {
  let own = subgroupAdd(value);
  workgroupBarrier();
  if (subgroupElect()) { shares[subgroup] = own; }
  workgroupBarrier();
  var sum = shares[0];
  for (var i = 1; i < subgroups; i++) { sum += shares[i]; }
  return sum;
}

// The largest of all lanes' values.
fn largestOf(value: Value, lane: i32) -> Value {
  let own = subgroupMax(value);
  workgroupBarrier();
  if (subgroupElect()) { shares[subgroup] = own; }
  workgroupBarrier();
  var largest = shares[0];
  for (var i = 1; i < subgroups; i++) { largest = max(largest, shares[i]); }
  return largest;
}

/** Who verified an outcome, in words, by the API's. */
export const BY: Record<string, string> = {
  machine: 'its checks',
  person: 'a person',
  reporter: 'whoever acted',
  nobody: 'nobody',
}

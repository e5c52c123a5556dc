/** The severities there are, the worst first. */
export const severities = ['critical', 'high', 'medium', 'low'] as const

/** A severity, as the API words it. */
export type SeverityWord = (typeof severities)[number]

/** What severities look like in drawings; lighter in the dark. The word stands beside the colour, always. */
export const severityColor: Record<SeverityWord, string> = {
  critical: 'light-dark(var(--mantine-color-red-9), var(--mantine-color-red-6))',
  high: 'light-dark(var(--mantine-color-orange-7), var(--mantine-color-orange-5))',
  medium: 'light-dark(var(--mantine-color-yellow-5), var(--mantine-color-yellow-3))',
  low: 'light-dark(var(--mantine-color-blue-6), var(--mantine-color-blue-4))',
}

/** Whether a word is one of the severities. */
export const isSeverity = (word: string): word is SeverityWord => (severities as readonly string[]).includes(word)

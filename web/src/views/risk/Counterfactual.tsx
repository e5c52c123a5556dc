import { List, Text } from '@mantine/core'

interface CounterfactualProps {
  /** Sentences, each a single change. */
  changes: string[]
  verdict: string
}

/** What would have had to differ for it to run unasked. */
export function Counterfactual({ changes, verdict }: CounterfactualProps) {
  if (changes.length === 0) {
    return (
      <Text size="sm">
        {verdict === 'allow' ? 'Nothing: it was allowed.' : 'No single change of it would have let it run unasked.'}
      </Text>
    )
  }
  return (
    <>
      <Text size="sm">
        It would have run unasked if one of these had been so. Each was judged like a question of its own.
      </Text>
      <List size="sm" mt={4}>
        {changes.map((change) => <List.Item key={change}>{change}</List.Item>)}
      </List>
    </>
  )
}

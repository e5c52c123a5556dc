import { Alert, Button, Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Failed, Loaded } from '../../parts/State'
import { Tone } from '../../parts/Tone'
import { Rego } from './Rego'

type TestResult = Schema<'TestOut'>

/** One bundle: its files as they are, and what its own tests say. */
export function Bundle({ bundle, decides }: { bundle: Schema<'BundleOut'>; decides: boolean }) {
  const files = useQuery(get('/api/v1/policies/{id}', { params: { path: { id: bundle.id } } }))
  const [search, set] = useSearch()
  const testing = useMutation({
    mutationFn: async () => {
      const { data } = await api.POST('/api/v1/policies/{id}/test', { params: { path: { id: bundle.id } } })
      return data
    },
  })
  return (
    <Section
      title={<><Outside>{`${bundle.name} ${bundle.version}`}</Outside>{decides && ', which decides'}</>}
      aside={<Button size="compact-sm" variant="default" loading={testing.isPending} onClick={() => testing.mutate()}>
        Run its tests
      </Button>}
    >
      <Stack gap="sm">
        <Text size="xs" className="mono">{bundle.hash}</Text>
        {testing.error && <Failed problem={asProblem(testing.error)} />}
        {testing.data && <Tests results={testing.data} />}
        <Loaded query={files} rows={6}>
          {(found) => {
            const names = Object.keys(found)
            const name = names.find((one) => one === search.file) ?? names[0]
            if (name === undefined) return <Text size="sm">It has no files.</Text>
            return (
              <>
                <NativeSelect
                  label="File" value={name} data={names} maw={420}
                  onChange={(event) => set({ file: event.currentTarget.value })}
                />
                <Rego label={name} text={found[name] ?? ''} />
              </>
            )
          }}
        </Loaded>
      </Stack>
    </Section>
  )
}

function Tests({ results }: { results: TestResult[] }) {
  const failed = results.filter((result) => !result.passed)
  if (results.length === 0) return <Alert color="yellow" variant="light">The bundle has no tests.</Alert>
  return (
    <Stack gap="xs" role="status">
      <Alert color={failed.length === 0 ? 'green' : 'red'} variant="light">
        {failed.length === 0
          ? `All of its ${count(results.length, 'test')} passed.`
          : `${failed.length} of ${count(results.length, 'test')} failed: the bundle cannot be activated.`}
      </Alert>
      <PlainTable
        label="Tests of the bundle" id={(result) => `${result.file}:${result.line}:${result.name}`}
        rows={[...failed, ...results.filter((result) => result.passed)]}
        columns={[
          { name: 'Test', cell: (result) => <Outside mono>{result.name}</Outside> },
          { name: 'Where', cell: (result) => <Outside mono>{`${result.file}:${result.line}`}</Outside> },
          {
            name: 'Result',
            cell: (result) => (
              <Group gap={6}>
                <Tone of={result.passed ? 'green' : 'red'}>
                  {result.passed ? 'passed' : result.message ? 'broken' : 'failed'}
                </Tone>
                {result.message && <Outside>{result.message}</Outside>}
              </Group>
            ),
          },
        ]}
      />
    </Stack>
  )
}

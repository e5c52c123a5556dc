import { Alert, Button, Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import type { ListedBundle } from '../../logic/policyBundles'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Failed, Loaded } from '../../parts/State'
import { Tone } from '../../parts/Tone'
import { Rego } from './Rego'

type TestResult = Schema<'TestOut'>

/** One of the tenant's bundles: its files as they are, and what its own tests say. */
export function OwnBundle({ id, bundle }: { id: string; bundle: ListedBundle }) {
  const files = useQuery(get('/api/v1/policies/{id}', { params: { path: { id } } }))
  const test = async () => (await api.POST('/api/v1/policies/{id}/test', { params: { path: { id } } })).data
  return (
    <Bundle bundle={bundle} test={test}>
      <Loaded query={files} rows={6}>{(found) => <Files of={found} />}</Loaded>
    </Bundle>
  )
}

/** The bundle that ships, as any other. */
export function ShippedBundle({ bundle, files }: { bundle: ListedBundle; files: Record<string, string> }) {
  const test = async () => (await api.POST('/api/v1/policies/shipped/test')).data
  return <Bundle bundle={bundle} test={test}><Files of={files} /></Bundle>
}

interface BundleProps {
  bundle: ListedBundle
  test: () => Promise<TestResult[] | undefined>
  children: ReactNode
}

function Bundle({ bundle, test, children }: BundleProps) {
  const testing = useMutation({ mutationFn: test })
  return (
    <Section
      title={<><Outside>{bundle.title}</Outside>{bundle.decides && ', which decides'}</>}
      aside={<Button size="compact-sm" variant="default" loading={testing.isPending} onClick={() => testing.mutate()}>
        Run its tests
      </Button>}
    >
      <Stack gap="sm">
        <Text size="xs" className="mono">{bundle.hash}</Text>
        {testing.error && <Failed problem={asProblem(testing.error)} />}
        {testing.data && <Tests results={testing.data} />}
        {children}
      </Stack>
    </Section>
  )
}

/** The files, one at a time. */
function Files({ of }: { of: Record<string, string> }) {
  const [search, set] = useSearch()
  const names = Object.keys(of)
  const name = names.find((one) => one === search.file) ?? names[0]
  if (name === undefined) return <Text size="sm">It has no files.</Text>
  return (
    <>
      <NativeSelect
        label="File" value={name} data={names} maw={420}
        onChange={(event) => set({ file: event.currentTarget.value })}
      />
      <Rego label={name} text={of[name] ?? ''} />
    </>
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

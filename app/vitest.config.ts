import { defineConfig } from 'vitest/config'

// Real keys and signatures take their time on a busy machine.
export default defineConfig({ test: { include: ['tests/unit/**/*.test.ts'], testTimeout: 60_000 } })
